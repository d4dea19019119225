"""`explain`: why a Contact shows what it shows, from the ledger alone, gate by gate."""

from typing import Annotated, Any

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.explained import explained
from salesforce_bridge.cli.people import ContactArgument, person_of
from salesforce_bridge.cli.shared import AsJson, given, tell_json, tell_table
from salesforce_bridge.permissions.laws import UNKNOWN

LOOKED_THROUGH = (
    500  # of the latest entries about the person, for what happened last in each situation
)
app = typer.Typer(add_completion=False)


@app.command()
def explain(
    ctx: typer.Context,
    contact: ContactArgument,
    entries: Annotated[int, typer.Option(help="How many of the latest decisions to show.")] = 10,
    gates: Annotated[
        bool, typer.Option(help="Show every gate of every use, the passed ones too.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Say why a Contact shows what it shows."""
    settings = given(ctx).settings()
    with wiring.ledger_in_use(settings) as ledger, ledger.reading() as tx:
        policy = wiring.policy_in_use(settings, tx).policy
        found = person_of(tx, wiring.org_of(settings, ledger), contact, entries=LOOKED_THROUGH)
    document = explained(found, policy, at=wiring.now())
    document["decisions"] = document["decisions"][:entries]
    if as_json:
        tell_json(document)
    else:
        _tell(document, gates=gates)


def _tell(document: dict[str, Any], *, gates: bool) -> None:
    typer.echo(
        f"Contact {document['contact_id']} is person {document['subject_id']} ({document['link'].lower()})."
    )
    _tell_place(document["profile"])
    for what in (
        f"the whole person is held: {document['hold']}" if document["hold"] else "",
        "this person was erased; only suppressions remain" if document["erased"] else "",
    ):
        if what:
            typer.echo(what)
    _tell_case(document["uses"])
    if gates:
        for each in document["uses"]:
            _tell_gates(each)
    _tell_waiting(document)
    if document["situations"]:
        tell_table(
            ("situation", "use", "class", "at", "reason", "in words"),
            (
                (s["situation"], s["use"], s["class"], s["at"], s["reason"], s["sentence"])
                for s in document["situations"]
            ),
            title="what happened last",
        )
    if document["decisions"]:
        tell_table(
            ("seq", "at", "reason", "in words"),
            (
                (each["seq"], each["at"], each["reason"], each["explanation"])
                for each in document["decisions"]
            ),
            title="latest entries of the audit",
        )


def _tell_place(profile: dict[str, Any]) -> None:
    mark = "" if profile["confirmed_by"] else ", a starting value no counsel has confirmed"
    law = f"the law of {profile['key']}"
    if profile["key"] == UNKNOWN:
        law = "the strictest law of all, because no country of theirs is known"
    typer.echo(f"judged by {law}{mark}")
    if profile["former"] is not None:
        counts = "still counts" if profile["former_counts_for"] else "counts no more"
        typer.echo(f"moved from {profile['former']} at {profile['moved_at']}; its law {counts}")


def _tell_case(uses: list[dict[str, Any]]) -> None:
    tell_table(
        (
            *("purpose", "channel", "may we", "because", "state", "basis", "since"),
            *("ends", "renew by", "ledger shows", "Salesforce showed"),
        ),
        (
            (
                *(each["purpose"], each["channel"], each["verdict"], each["reason"]),
                *(each["state"], each["basis"], each["since"]),
                *(each["ends_at"], each["renew_by"]),
                *(each["ledger_shows"], each["salesforce_showed"]),
            )
            for each in uses
        ),
    )


def _tell_gates(use: dict[str, Any]) -> None:
    tell_table(
        ("gate", "about", "answer", "because"),
        ((each["gate"], each["title"], each["answer"], each["sentence"]) for each in use["gates"]),
        title=f"{use['purpose']}/{use['channel']}: {use['sentence']}",
    )


def _tell_waiting(document: dict[str, Any]) -> None:
    for each in document["stops"]:
        typer.echo(
            f"stop: {each['kind']} {each['purpose']}/{each['channel']} since {each['since']}"
        )
    for each in document["suppressions"]:
        after = ", after erasure" if each["after_erasure"] else ""
        typer.echo(f"suppressed: an address, {each['scope']}, since {each['since']}{after}")
    for each in document["waiting"]:
        typer.echo(
            f"waiting for a person: {each['purpose']}/{each['channel']} ({each['reason']}),"
            f" for {each['waits_days']} days, until {each['expires_at']}; review show {each['claim_id']}"
        )
    for each in document["rights_cases"]:
        late = ", OVERDUE" if each["overdue"] else ""
        typer.echo(
            f"rights case: {each['kind']} {each['state']}, due {each['due_at']}{late};"
            f" rights show {each['case_id']}"
        )
