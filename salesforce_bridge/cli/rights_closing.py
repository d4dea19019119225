"""`rights close`: how a case ends, and what its kind needs for that."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.asking import another, confirmed, given_or_asked
from salesforce_bridge.cli.rights_found import CaseArgument, case_named, told
from salesforce_bridge.cli.rights_words import ENDINGS, Ending
from salesforce_bridge.cli.shared import AsJson, given, operator, tell_json
from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.store import Tx
from salesforce_bridge.permissions.rights import CaseKind, CaseState, RightsCase

LATEST = 3  # entries that closing an erasure seals


class OutTaken(SkipRecord):
    """A copy never replaces a file that is there."""


def close(
    ctx: typer.Context,
    case: CaseArgument,
    outcome: Annotated[
        CaseState | None, typer.Option("--as", case_sensitive=False, help="How it ends.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Why, or the reference of what was handed over.")
    ] = None,
    approved_by: Annotated[
        str | None, typer.Option(help="Who else has looked at it; their login, not yours.")
    ] = None,
    told_at: Annotated[
        datetime | None,
        typer.Option(help="When the person was told, in UTC; default: now, where that will do."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Close a case; asks for what its kind needs. What it means is carried out at once."""
    settings, at = given(ctx).settings(), wiring.now()
    with wiring.ledger_in_use(settings) as ledger:
        with ledger.reading() as tx:
            found = case_named(tx, case)
        ending = _ending(found, outcome)
        named = another(approved_by) if ending.second_person else approved_by
        ended = replace(
            found,
            state=ending.state,
            decision_reason=_reason(ending, reason),
            reply_sent_at=_told_at(ending, told_at),
        )
        if found.kind is CaseKind.ERASURE and ending.state is CaseState.DONE:
            confirmed("Erase everything about this person? It cannot be undone.", yes=yes)
        with ledger.begin() as tx:
            policy = wiring.policy_in_use(settings, tx).policy
            tx.close_case(ended, by=operator(), approved_by=named, at=at, policy=policy)
            document = told(tx, case_named(tx, found.id), at=at) | {"kept": _kept(tx, ended)}
    if as_json:
        tell_json(document)
        return
    typer.echo(f"Case {found.id} is closed as {ending.state.value}: {ending.means}.")
    for each in document["kept"]:
        typer.echo(f"kept, tell the person so: {each}")


def write_private(out: Path, document: Any) -> None:
    """Write a file that is new, for its owner alone."""
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, default=str)
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text + "\n")
    except OSError as error:
        raise OutTaken(
            f"{out} cannot be written: {error.strerror}.", hint="name a file that is not there"
        ) from error


def _ending(case: RightsCase, outcome: CaseState | None) -> Ending:
    """The ending that was asked for; where there is just one, that."""
    endings = {each.state: each for each in ENDINGS[case.kind]}
    if outcome is None and len(endings) == 1:
        return next(iter(endings.values()))
    choices = ", ".join(f"{each.state.value} ({each.means})" for each in endings.values())
    if outcome is None:
        word = given_or_asked(None, f"how it ends: {choices}", option="--as").strip().upper()
        outcome = CaseState(word) if word in CaseState.__members__ else None
    if outcome is None or outcome not in endings:
        raise typer.BadParameter(
            f"a case of {case.kind.value} ends as one of: {choices}", param_hint="--as"
        )
    return endings[outcome]


def _reason(ending: Ending, reason: str | None) -> str | None:
    if ending.reason is None:
        return reason
    return given_or_asked(reason, ending.reason, option="--reason")


def _told_at(ending: Ending, told_at: datetime | None) -> datetime | None:
    if told_at is None and ending.told_before:
        word = given_or_asked(None, "when the person was told, in UTC", option="--told-at")
        try:
            told_at = datetime.fromisoformat(word.strip())
        except ValueError as error:
            raise typer.BadParameter(f"{word!r} is no moment", param_hint="--told-at") from error
    return None if told_at is None else told_at.replace(tzinfo=UTC)


def _kept(tx: Tx, case: RightsCase) -> list[str]:
    """What an erasure left, and why; the person has to be told."""
    if case.kind is not CaseKind.ERASURE or case.state is not CaseState.DONE:
        return []
    payloads = (each.payload or {} for each in views.tail(tx, count=LATEST))
    return next((list(each["kept"]) for each in payloads if "kept" in each), [])
