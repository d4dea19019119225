"""`status`: the ledger in numbers, and how long ago both sides were last compared."""

from datetime import datetime
from typing import Any

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.outstanding import Outstanding, outstanding, told
from salesforce_bridge.cli.shared import AsJson, given, tell_json, tell_table
from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.values import Backfill, Bookmark
from salesforce_bridge.ledger.views import Status

app = typer.Typer(add_completion=False)


@app.command()
def status(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show how the bridge and its ledger are."""
    settings, at = given(ctx).settings(), wiring.now()
    with wiring.ledger_in_use(settings) as ledger, ledger.reading() as tx:
        org_id = wiring.org_of(settings, ledger)
        found, mark = views.status(tx, org_id), tx.bookmark(org_id)
        waiting = outstanding(tx, org_id, settings, at=at)
    document = _document(org_id, found, mark, at=at) | waiting.document()
    if as_json:
        tell_json(document)
    else:
        _tell(document, waiting)


def _document(org_id: str, found: Status, mark: Bookmark | None, *, at: datetime) -> dict[str, Any]:
    last = found.last_cycle
    closed = last.closed_at if last is not None else None
    return {
        "org_id": org_id,
        "last_cycle": {
            "id": last.cycle_id,
            "closed_at": closed.isoformat() if closed else None,
            "age_seconds": round((at - closed).total_seconds()) if closed else None,
            "policy_version": last.policy_version,
            "software": last.software,
        }
        if last is not None
        else None,
        "backfill": (mark.backfill if mark is not None else Backfill.NONE).value,
        "revision": found.head.revision,
        "audit": {"entries": found.head.seq, "last_hash": found.head.last_hash},
        "people": found.people,
        "contacts": found.contacts,
        "claims_waiting": found.claims_waiting,
        "writes_open": dict(found.writes_open),
        "stops": dict(found.stops),
        "permissions": [
            {"purpose": purpose, "channel": channel, "state": state, "number": number}
            for (purpose, channel, state), number in sorted(found.permissions.items())
        ],
    }


def _tell(document: dict[str, Any], waiting: Outstanding) -> None:
    last = document["last_cycle"]
    ended = "none yet" if last is None else f"number {last['id']}, {last['age_seconds']} s ago"
    tell_table(
        ("", ""),
        (
            ("org", document["org_id"]),
            ("last cycle", ended),
            ("first reading", document["backfill"].lower()),
            ("people", document["people"]),
            ("contacts", document["contacts"]),
            ("claims waiting for a person", document["claims_waiting"]),
            *told(waiting),
            ("writes open", sum(document["writes_open"].values())),
            ("wide stops", sum(document["stops"].values())),
            ("audit entries", document["audit"]["entries"]),
        ),
    )
    rows = [tuple(each.values()) for each in document["permissions"]]
    if rows:
        tell_table(("purpose", "channel", "state", "people"), rows)
