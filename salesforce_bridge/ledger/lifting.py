"""Lifting suppressions: an address speaks again because the person behind it said so, and two people saw that."""

from collections.abc import Iterable
from datetime import datetime

from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger import drafts, heads, history, proving, sealing, suppressions, telling
from salesforce_bridge.ledger.picture import Picture
from salesforce_bridge.ledger.proving import Proof, ProofMissing
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.evidence import Trust
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.suppressions import Suppression, matching


class NothingSuppressed(SkipRecord):
    """No address is silent that these words of the person could make speak again."""


def lift_suppressions(
    tx: Picture,
    points: Iterable[ContactPoint],
    proof: Proof,
    *,
    said_at: datetime,
    by: str,
    approved_by: str | None,
    at: datetime,
    policy: Policy,
) -> tuple[Suppression, ...]:
    """Lift what is suppressed about some addresses; whoever has them is looked at by the next cycle.

    Only the person's own act lifts it, and only what was silenced before that act; nothing is permitted by it.
    """
    second = telling.two_people(by, approved_by, what="lifting a suppression")
    if proving.believed(proof, by=by, approved_by=second) is not Trust.SUBJECT_DIRECT:
        raise ProofMissing(
            "only the person's own act lifts a suppression: a signed form, a confirmed link",
            hint="give proof of grade A that is the person's own act, and have it approved",
        )
    if not proof.ref:
        raise ProofMissing("nobody could find that proof again", hint="say where it is kept")
    asked = tuple(points)
    revision = heads.lock(tx.connection).revision + 1
    known = matching(tx.suppressions({one.hmac for one in asked}), asked)
    lifted = tuple(sorted(one for one in known if one.since < said_at <= at))
    if not lifted:
        raise NothingSuppressed(
            "what the person said comes before the suppression, or lies in the future"
            if known
            else "none of these addresses is suppressed",
            hint="salesforce-bridge explain CONTACT_ID",
        )
    suppressions.remove_suppressions(tx.connection, lifted)
    holders = tx.holders({one.hmac for one in lifted}).values()
    heads.move(tx.connection, {"revision": revision})
    touched = {whose: revision for each in holders for whose in each}
    history.touch(tx.connection, touched, outside=True)
    sealed = drafts.suppressed(
        drafts.SUPPRESSION_LIFTED,
        lifted,
        by=by,
        approved_by=second,
        evidence_ref=proof.ref,
        frame=drafts.under(policy, at),
    )
    sealing.append(tx.connection, [sealed], nonces=tx.nonces)
    return lifted
