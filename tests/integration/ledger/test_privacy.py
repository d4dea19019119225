"""No plain address, number, note or name is anywhere in the ledger's file."""

from hashlib import sha256
from pathlib import Path

from salesforce_bridge.ledger.import_lines import Frame
from salesforce_bridge.ledger.imports import ImportKind, plan_import, run_import
from salesforce_bridge.ledger.store import Result
from salesforce_bridge.permissions.contact_points import PointKeys, PointType, contact_point
from salesforce_bridge.reconcile.facts import ContactSnapshot
from tests.integration.ledger.cycles import answered, opened
from tests.support.facts import (
    NOON,
    ORG,
    a_contact,
    a_decision,
    a_link,
    a_person,
    a_plan,
    a_policy,
    a_row,
    a_write,
    contact_id,
)
from tests.support.ledgers import sqlite_ledger

ADDRESS, NUMBER = "ann.example.person@mail.example.org", "+49 30 901820 77"
NOTE = "She told me on the phone that she is moving house."
KEYS = PointKeys(current=1, keys={1: b"k" * 32}, controller=a_policy().controller)


def a_plain_contact() -> ContactSnapshot:
    points = [
        contact_point(kind, text, keys=KEYS, default_country="DE")
        for kind, text in ((PointType.EMAIL, ADDRESS), (PointType.PHONE, NUMBER))
    ]
    return a_contact(1, points=tuple(point for point in points if point is not None))


def test_what_people_wrote_is_nowhere_in_the_file(tmp_path: Path) -> None:
    ledger = sqlite_ledger(tmp_path)
    cycle_id = opened(ledger)
    note = sha256(NOTE.encode()).hexdigest()
    with ledger.begin() as tx:
        tx.record(
            a_plan(
                subjects=(a_person(1),),
                links=(a_link(1),),
                decisions=(a_decision(1, observed={"request_note": (None, note)}),),
                writes=(a_write(1),),
            ),
            org_id=ORG,
            cycle_id=cycle_id,
            at=NOON,
            policy=a_policy(),
            contacts=(a_plain_contact(),),
            rows=((a_row(1, request="Asked us to stop", request_note=note), contact_id(1)),),
        )
        frame = Frame(org_id=ORG, policy=a_policy(), keys=KEYS, at=NOON, by="anna")
        text = (
            "contact_id,email,phone,event,happened_at\n"
            f"{contact_id(1)},{ADDRESS},{NUMBER},STOP,2026-01-01\n"
            f",{ADDRESS},{NUMBER},STOP_ALL,2026-01-01\n"
        )
        run_import(tx, plan_import(tx, text, ImportKind.PERMISSIONS, frame))
    answered(ledger, a_write(1).id, Result.REFUSED, message_digest=note)
    ledger.close()
    kept = b"".join(file.read_bytes() for file in sorted(tmp_path.iterdir())).lower()
    assert note.encode() in kept
    digits = "".join(filter(str.isdigit, NUMBER))
    for plain in (ADDRESS, "ann.example.person", NUMBER, digits, NOTE, "moving house"):
        assert plain.lower().encode() not in kept
