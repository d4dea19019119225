"""What the demo brings into the ledger: import files as an operator would write them, first dry, then for good."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from salesforce_bridge import wiring
from salesforce_bridge.cli.demo_cast import (
    EMAIL,
    EVERY_CHANNEL,
    EXPIRES_AFTER,
    MARKETING,
    SERVICE,
    Cast,
    Person,
)
from salesforce_bridge.cli.demo_play import Play
from salesforce_bridge.ledger.import_lines import CONDITION_COLUMNS, PERMISSION_COLUMNS, Frame
from salesforce_bridge.ledger.imports import ImportKind, ImportReport, plan_import, run_import

SAID_AGO = timedelta(days=1)
LAST_PROMPT = timedelta(days=7)  # before the end, as the policy has it
NOTICE = "consent-en-1"  # of the policy that comes with the program


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFile:
    """One CSV file."""

    name: str
    kind: ImportKind
    text: str


def first_files(cast: Cast, *, at: datetime) -> tuple[ImportFile, ...]:
    """What somebody can prove on the day the bridge is switched on."""
    said_at = at - SAID_AGO
    everywhere = (cast.permitted, cast.stops, cast.opts_out, cast.wishes)
    by_email = (cast.merged_into, cast.stops_meanwhile, *cast.signed_up)
    ends_at = at + EXPIRES_AFTER
    permissions = [
        *(_grant(who, channel, said_at) for who in everywhere for channel in EVERY_CHANNEL),
        *(_grant(who, EMAIL, said_at) for who in by_email),
        _grant(cast.expiring, EMAIL, said_at) | {"effective_to": _text(ends_at)},
        _grant(cast.renews, EMAIL, said_at) | {"effective_to": _text(ends_at + LAST_PROMPT)},
        *(_served(who, said_at, number) for number, who in enumerate(cast.customers, start=1)),
    ]
    contracts = [
        _contract(who, said_at, number) for number, who in enumerate(cast.customers, start=1)
    ]
    return (_permissions("permissions.csv", permissions), _conditions("contracts.csv", contracts))


def late_files(cast: Cast, *, at: datetime) -> tuple[ImportFile, ...]:
    """What somebody said since."""
    said_at = at - timedelta(minutes=1)
    lines = [_grant(cast.late, channel, said_at) for channel in EVERY_CHANNEL]
    return (_permissions("sign-ups.csv", lines),)


def bring_in(play: Play, files: Iterable[ImportFile]) -> None:
    """Import files as an operator would: dry, for good, and once more in vain."""
    rows: list[tuple[object, ...]] = []
    for file in files:
        (play.stage.folder / file.name).write_text(file.text, "utf-8")
        dry, done, again = (
            _imported(play, file, apply=False),
            _imported(play, file, apply=True),
            _imported(play, file, apply=True),
        )
        play.expect(f"problems of {file.name}", dry.problems, wanted=())
        play.expect(f"{file.name}: done as the dry run said", done, wanted=dry)
        play.expect(f"{file.name}: a second time is no news", dict(again.recorded), wanted={})
        rows.append(
            (file.name, dry.lines, dry.new_people, _listed(dry), _listed(done), _listed(again))
        )
    columns = ("file", "lines", "new people", "dry run", "done", "done again")
    play.tell(columns, rows, title="imported into the ledger")


def _imported(play: Play, file: ImportFile, *, apply: bool) -> ImportReport:
    world = play.world
    frame = Frame(
        org_id=world.org_id,
        policy=world.policy,
        keys=wiring.point_keys(play.stage.settings, controller=world.policy.controller),
        at=play.stage.now(),
        by="demo",
    )
    if not apply:
        with world.ledger.reading() as tx:
            return plan_import(tx, file.text, file.kind, frame).report
    with world.ledger.begin() as tx:
        return run_import(tx, plan_import(tx, file.text, file.kind, frame))


def _grant(who: Person, channel: str, said_at: datetime) -> dict[str, str]:
    return _named(who) | {
        "purpose": MARKETING,
        "channel": channel,
        "event": "GRANT",
        "happened_at": _text(said_at),
        "evidence_grade": "A",
        "evidence_kind": "confirmed-opt-in",
        "evidence_ref": f"sign-ups/{who.contact_id[11:15]}",
        "notice_id": NOTICE,
        "trust": "SUBJECT_DIRECT",
        "verified_by": "confirmation-link",
        "capture_source": "web:/newsletter",
    }


def _served(who: Person, said_at: datetime, number: int) -> dict[str, str]:
    return _named(who) | {
        "purpose": SERVICE,
        "channel": EMAIL,
        "event": "ESTABLISH",
        "happened_at": _text(said_at),
        "condition_ref": f"contract-{number:04}",
    }


def _contract(who: Person, said_at: datetime, number: int) -> dict[str, str]:
    return _named(who) | {
        "kind": "CONTRACT",
        "ref": f"contract-{number:04}",
        "valid_from": _text(said_at),
        "purpose": SERVICE,
    }


def _named(who: Person) -> dict[str, str]:
    return {"contact_id": who.contact_id, "email": who.email, "phone": who.mobile}


def _permissions(name: str, lines: Iterable[Mapping[str, str]]) -> ImportFile:
    text = _csv(PERMISSION_COLUMNS, lines)
    return ImportFile(name=name, kind=ImportKind.PERMISSIONS, text=text)


def _conditions(name: str, lines: Iterable[Mapping[str, str]]) -> ImportFile:
    text = _csv(CONDITION_COLUMNS, lines)
    return ImportFile(name=name, kind=ImportKind.CONDITIONS, text=text)


def _csv(columns: Iterable[str], lines: Iterable[Mapping[str, str]]) -> str:
    written = io.StringIO()
    writer = csv.DictWriter(written, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return written.getvalue()


def _listed(report: ImportReport) -> str:
    return ", ".join(_counts(report)) or "nothing new"


def _counts(report: ImportReport) -> Iterator[str]:
    for kind, number in report.recorded.items():
        yield f"{number} {kind}"


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
