"""A suppression is lifted by the person's own act alone, which two people have seen, and both are sealed."""

from datetime import timedelta

import pytest

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.erasing import erase
from salesforce_bridge.ledger.faults import SecondPersonMissing
from salesforce_bridge.ledger.lifting import NothingSuppressed, lift_suppressions
from salesforce_bridge.ledger.proving import Proof, ProofMissing
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.suppressions import Suppression
from tests.integration.ledger.cycles import met
from tests.integration.ledger.people import POLICY, assert_whole, the_person
from tests.support.facts import NOON, subject_id

SIGNED = Proof(grade=Grade.A, ref="esign 3", by_the_person=True)
LATER = NOON + timedelta(hours=2)


def silenced(ledger: Ledger) -> ContactPoint:
    """An address that an erased person left behind, and somebody else has."""
    met(ledger, 1, 2)
    (held,) = the_person(ledger, 1).points
    with ledger.begin() as tx:
        erase(tx, subject_id(1), by="anna", approved_by="ben", at=NOON, policy=POLICY)
    return held.point


def lifted(
    ledger: Ledger,
    point: ContactPoint,
    proof: Proof = SIGNED,
    *,
    approved_by: str | None = "ben",
    hours: float = 1,
) -> tuple[Suppression, ...]:
    with ledger.begin() as tx:
        return lift_suppressions(
            tx,
            [point],
            proof,
            said_at=NOON + timedelta(hours=hours),
            by="anna",
            approved_by=approved_by,
            at=LATER,
            policy=POLICY,
        )


def test_a_lifted_address_is_silent_no_more_and_it_is_sealed_who_saw_what(ledger: Ledger) -> None:
    point = silenced(ledger)
    assert [each.hmac for each in lifted(ledger, point)] == [point.hmac]
    with ledger.reading() as tx:
        assert tx.suppressions([point.hmac]) == ()
        sealed = views.tail(tx, count=1)[0]
    told = f"{sealed.header}{sealed.payload}"
    for word in ("SUPPRESSION_LIFTED", "anna", "ben", "esign 3", point.hmac):
        assert word in told
    assert_whole(ledger)


def test_whoever_has_the_address_is_looked_at_by_the_next_cycle(ledger: Ledger) -> None:
    point = silenced(ledger)
    with ledger.begin() as tx:
        (other,) = tx.subjects([subject_id(2)]).values()
        tx.connection.exec_driver_sql(
            f"UPDATE contact_point SET hmac = '{point.hmac}' WHERE subject_id = '{other.subject_id}'"
        )
        before = tx.head().revision
    lifted(ledger, point)
    with ledger.reading() as tx:
        assert tx.touched_since(before, tx.head().revision) == (subject_id(2),)


@pytest.mark.parametrize(
    ("proof", "approved_by", "refused"),
    [
        (SIGNED, None, SecondPersonMissing),
        (SIGNED, "anna", SecondPersonMissing),
        (Proof(grade=Grade.A, ref="letter"), "ben", ProofMissing),
        (Proof(grade=Grade.B, ref="call 7", by_the_person=True), "ben", ProofMissing),
        (Proof(grade=Grade.A, by_the_person=True), "ben", ProofMissing),
    ],
)
def test_nothing_else_than_the_own_act_seen_by_two_people_lifts(
    ledger: Ledger, proof: Proof, approved_by: str | None, refused: type[Exception]
) -> None:
    point = silenced(ledger)
    with pytest.raises(refused):
        lifted(ledger, point, proof, approved_by=approved_by)
    with ledger.reading() as tx:
        assert len(tx.suppressions([point.hmac])) == 1


@pytest.mark.parametrize("hours", [-1, 0, 3])
def test_words_from_before_the_suppression_or_from_the_future_lift_nothing(
    ledger: Ledger, hours: float
) -> None:
    point = silenced(ledger)
    with pytest.raises(NothingSuppressed):
        lifted(ledger, point, hours=hours)
    assert lifted(ledger, point)
    with pytest.raises(NothingSuppressed, match="none of these"):
        lifted(ledger, point)
