"""Facts that gates ask for come from files too: sales, registers, addresses that answer no more, minors."""

from datetime import UTC, datetime

import pytest

from salesforce_bridge.ledger.erasing import erase
from salesforce_bridge.ledger.import_cells import Frame
from salesforce_bridge.ledger.imports import ImportKind, ImportReport, plan_import, run_import
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.conditions import ConditionKind, SoftOptIn
from salesforce_bridge.permissions.contact_points import PointKeys, PointType, contact_point
from salesforce_bridge.reconcile.facts import SubjectRecord
from tests.support.facts import NOON, ORG, a_policy, contact_id

KEYS = PointKeys(current=1, keys={1: b"1" * 32}, controller=a_policy().controller)
BOTH_KEYS = PointKeys(current=2, keys={1: b"1" * 32, 2: b"2" * 32}, controller=KEYS.controller)
NUMBER = "+49 30 901820 77"
HEADER = (
    "contact_id,email,phone,kind,ref,valid_from,purpose,"
    "sale_ref,sale_date,product_family,optout_offered_at_collection,optout_in_each_message"
)
WHO = "contact_id,email,phone,purpose,channel,event,happened_at"


def ran(
    ledger: Ledger,
    *lines: str,
    header: str = HEADER,
    kind: ImportKind = ImportKind.CONDITIONS,
    keys: PointKeys = KEYS,
    apply: bool = True,
) -> ImportReport:
    frame = Frame(org_id=ORG, policy=a_policy(), keys=keys, at=NOON, by="anna")
    text = "\n".join((header, *lines)) + "\n"
    with ledger.begin() as tx:
        plan = plan_import(tx, text, kind, frame)
        return run_import(tx, plan) if apply else plan.report


def the_person(ledger: Ledger, number: int = 1) -> SubjectRecord:
    with ledger.reading() as tx:
        whose = tx.links_of(ORG, [contact_id(number)])[contact_id(number)].subject_id
        return tx.subjects([whose])[whose]


def met(ledger: Ledger, *numbers: int, phone: str = NUMBER) -> None:
    lines = (
        f"{contact_id(each)},a{each}@example.org,{phone},,,STOP,2026-01-01" for each in numbers
    )
    ran(ledger, *lines, header=WHO, kind=ImportKind.PERMISSIONS)


def test_a_sale_is_kept_with_all_its_facts(ledger: Ledger) -> None:
    line = (
        f"{contact_id(1)},,,SOFT_OPT_IN,shop,2026-01-10,direct_marketing,"
        "order-1,2026-01-10,garden,yes,NO"
    )
    ran(ledger, line)
    (fact,) = the_person(ledger).conditions
    assert fact.soft_opt_in == SoftOptIn(
        sale_ref="order-1",
        sale_date=datetime(2026, 1, 10, tzinfo=UTC),
        product_family="garden",
        optout_offered_at_collection=True,
        optout_in_each_message=False,
    )
    assert ran(ledger, line).recorded == {}


@pytest.mark.parametrize("kind", ["UNDELIVERABLE", "DNC_LISTED", "DNC_SCREENED"])
def test_what_is_true_of_a_number_is_true_of_everybody_who_has_it(
    ledger: Ledger, kind: str
) -> None:
    met(ledger, 1, 2)
    ran(ledger, f",,{NUMBER},{kind},TPS,2026-01-15,,,,,,")
    point = contact_point(PointType.PHONE, NUMBER, keys=KEYS, default_country="DE")
    assert point is not None
    for number in (1, 2):
        (fact,) = the_person(ledger, number).conditions
        assert (fact.kind, fact.point) == (ConditionKind(kind), point.hmac)


@pytest.mark.parametrize(
    "kind", ["ART9", "MINOR", "GUARDIAN", "DECEASED", "ACTIVITY", "RESTRICTION"]
)
def test_what_is_true_of_a_person_is_kept_of_that_person(ledger: Ledger, kind: str) -> None:
    met(ledger, 1)
    ran(ledger, f",a1@example.org,,{kind},letter 7,2026-01-15,direct_marketing,,,,,")
    (fact,) = the_person(ledger).conditions
    assert (fact.kind, fact.ref, fact.point) == (ConditionKind(kind), "letter 7", None)


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        (",,,SOFT_OPT_IN,shop,2026-01-10,,,2026-01-10,garden,yes,yes", "sale_ref"),
        (
            ",,,SOFT_OPT_IN,shop,2026-01-10,,order-1,2026-01-10,garden,yes,",
            "optout_in_each_message",
        ),
        (
            ",,,SOFT_OPT_IN,shop,2026-01-10,,o,2026-01-10,g,perhaps,yes",
            "optout_offered_at_collection",
        ),
        (",,,SOFT_OPT_IN,shop,2026-01-10,,ann@example.org,2026-01-10,g,yes,yes", "sale_ref"),
        (",,,CONTRACT,C-1,2026-01-10,,order-1,,,,", "sale_ref"),
        (",,,ART9,explicit,2026-01-10,,,,,,", "purpose"),
        (",,,DNC_LISTED,TPS,2026-01-10,,,,,,", "phone"),
        (",a@example.org,,DNC_SCREENED,TPS,2026-01-10,,,,,,", "phone"),
    ],
)
def test_a_fact_that_lacks_something_is_a_problem(ledger: Ledger, cells: str, column: str) -> None:
    report = ran(ledger, f"{contact_id(1)}{cells}", apply=False)
    assert [problem.column for problem in report.problems] == [column]


def test_a_stop_told_under_an_older_key_is_found_under_a_newer_one(ledger: Ledger) -> None:
    met(ledger, 1, phone="")
    line = ",a1@example.org,,direct_marketing,EMAIL,WITHDRAW,2026-01-20"
    report = ran(ledger, line, header=WHO, kind=ImportKind.PERMISSIONS, keys=BOTH_KEYS)
    assert report.new_people == 0
    assert the_person(ledger).permissions
    new = contact_point(PointType.EMAIL, "a1@example.org", keys=BOTH_KEYS, default_country="DE")
    old = contact_point(PointType.EMAIL, "a1@example.org", keys=KEYS, default_country="DE")
    assert new is not None
    assert old is not None
    with ledger.reading() as tx:
        found = tx.holders([new.hmac, old.hmac])
        assert set(found) == {new.hmac, old.hmac}
        assert tx.points_by_version() == {1: 1, 2: 1}


def test_a_grant_for_somebody_who_was_erased_is_refused(ledger: Ledger) -> None:
    met(ledger, 1)
    with ledger.begin() as tx:
        whose = tx.links_of(ORG, [contact_id(1)])[contact_id(1)].subject_id
        erase(tx, whose, by="anna", approved_by="ben", at=NOON, policy=a_policy())
    line = f"{contact_id(1)},new@example.org,,direct_marketing,EMAIL,GRANT,2026-01-20"
    report = ran(ledger, line, header=WHO, kind=ImportKind.PERMISSIONS, apply=False)
    assert ["erased" in problem.what for problem in report.problems] == [True]
    stop = f"{contact_id(1)},,,,,STOP_ALL,2026-01-21"
    assert ran(ledger, stop, header=WHO, kind=ImportKind.PERMISSIONS).recorded == {"STOP_ALL": 1}
