"""What people said no with in the org, until a cycle can meet it: nobody can be asked about what was wiped away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tests.histories.bundles import MARKETING, NEWS, RESEARCH
from tests.histories.oracle import ANY, FLAGS, No, Sighted
from tests.histories.stage import Shown, Stage

STOP, OBJECTS, YES = "Asked us to stop", "Objects", "Gave permission"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """A standard flag of a Contact."""

    contact_id: str
    flag: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request on a row."""

    record_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Overwritten:
    """A result that somebody set to Stopped, of a row or of a Contact."""

    record_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wished:
    """A flag of an Individual that hangs on a Contact."""

    contact_id: str
    wish: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OfLead:
    """A flag of a Lead that a Contact was made from; a merge takes the Lead along."""

    contact_id: str
    lead_id: str
    flag: str
    at: datetime


Pending = Ticked | Asked | Overwritten | Wished | OfLead


def met(
    stage: Stage,
    pending: tuple[Pending, ...],
    contacts: Mapping[str, Sighted],
    rows: tuple[Shown, ...],
    lights: Mapping[str, tuple[str | None, str]],
    leads: Mapping[str, str],
) -> None:
    """Tell the oracle of every no that the cycle which looked at this could see."""
    by_id = {row.id: row for row in rows}
    stage.pending = [each for each in stage.pending if each not in pending]
    for each in pending:
        match each:
            case Asked() | Overwritten():
                _met_on_record(stage, each, by_id, lights)
            case OfLead():
                _met_on_lead(stage, each, contacts, leads)
            case _:
                _met_on_contact(stage, each, contacts.get(each.contact_id))


def _met_on_lead(
    stage: Stage, no: OfLead, contacts: Mapping[str, Sighted], leads: Mapping[str, str]
) -> None:
    now, made = contacts.get(leads.get(no.lead_id, "")), contacts.get(no.contact_id)
    # What was merged and parted again before anybody looked has left its Lead with somebody else.
    astray = made is not None and not made.deleted and now is not made
    if now is not None and not now.deleted and not astray:
        _flag(stage, now.id, no.flag, no.at)


def _met_on_contact(stage: Stage, no: Ticked | Wished, seen: Sighted | None) -> None:
    if seen is None:
        return
    if isinstance(no, Wished):
        if not seen.deleted and no.wish in seen.wishes:
            _wish(stage, seen.id, no.wish, no.at)
    elif no.flag in seen.flags:
        _flag(stage, seen.id, no.flag, no.at)


def _met_on_record(
    stage: Stage,
    no: Asked | Overwritten,
    rows: Mapping[str, Shown],
    lights: Mapping[str, tuple[str | None, str]],
) -> None:
    row = rows.get(no.record_id)
    if row is None:
        status = lights.get(no.record_id, (None, ""))[0]
        if isinstance(no, Overwritten) and status == "Stopped":
            _tell(stage, no.record_id, no.at, "results were set to Stopped", NEWS)
    elif (isinstance(no, Asked) and row.request in (STOP, OBJECTS)) or (
        isinstance(no, Overwritten) and row.status == "Stopped"
    ):
        _request(stage, row, no.at)


def _flag(stage: Stage, contact_id: str, flag: str, at: datetime) -> None:
    for channel in FLAGS[flag]:
        _tell(stage, contact_id, at, f"{flag} was ticked", ANY, channel)


def _request(stage: Stage, row: Shown, at: datetime) -> None:
    if row.owner is None:
        return  # a row that names nobody can only be reported
    known = row.purpose in stage.policy.purposes and row.channel in stage.policy.channels
    words = f"a row for {row.purpose}/{row.channel} said {row.request or row.status}"
    purpose, channel = row.use
    wide = not known or (row.request == OBJECTS and purpose in MARKETING)
    if wide or purpose not in (*MARKETING, RESEARCH):
        # A stop that names nothing known, or a service that has to go on, is a stop of all marketing.
        purpose, channel = ANY, ANY
    _tell(stage, row.owner, at, words, purpose, channel)


def _wish(stage: Stage, contact_id: str, wish: str, at: datetime) -> None:
    match wish:
        case "ShouldForget":
            no = No(words="wants to be forgotten", told_at=at, everything=True)
            stage.oracle.tells(contact_id, no)
        case "HasOptedOutSolicit":
            _tell(stage, contact_id, at, "wants no solicitation", ANY)
        case "HasOptedOutProcessing":
            stage.oracle.restricted.setdefault(contact_id, set()).add("wish")
        case "HasOptedOutProfiling":
            _tell(stage, contact_id, at, "wants no profiling", "events")
        case _:
            pass  # a copy of what is held about somebody stops nothing


def _tell(
    stage: Stage, contact_id: str, at: datetime, words: str, purpose: str, channel: str = ANY
) -> None:
    said = f"{words} on Contact {stage.name(contact_id)}"
    stage.oracle.tells(contact_id, No(words=said, told_at=at, purpose=purpose, channel=channel))
