"""What people decide in the ledger: claims, stops recorded in error, cases, mass changes."""

from collections.abc import Mapping
from dataclasses import replace

from salesforce_bridge.ledger import corrections, history, records, review
from salesforce_bridge.ledger.imports import REASON as IMPORTED
from salesforce_bridge.permissions.contact_points import PointType, contact_point
from salesforce_bridge.permissions.events import STOPS
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.rights import CaseKind, CaseState, RightsCase
from salesforce_bridge.reconcile.facts import SubjectRecord
from tests.histories.bundles import RESEARCH
from tests.histories.operators import plain, unless_declined
from tests.histories.oracle import ANY, EMAIL, OLDEST, POINT_OF, SCOPED, Yes
from tests.histories.people import USES
from tests.histories.scripted import Act, Part
from tests.histories.stage import Stage
from tests.unit.salesforce.scripted import KEYS


def reviews(stage: Stage, act: Act) -> str | None:
    """Two people approve a claim, or one refuses it."""
    at = stage.now()
    with stage.ledger.reading() as tx:
        waiting = review.waiting(tx, at=at)
    found = act.one(waiting, act.who)
    if found is None:
        return None
    claim = found.claim
    words = f"the claim for {claim.use.purpose}/{claim.use.channel} of {claim.claimed_at}"
    if act.what % 4 == 0:
        with stage.ledger.begin() as tx:
            review.refuse(tx, claim.id, by="anna", at=at, policy=stage.policy)
        return f"an operator refuses {words}"
    record = stage.record(claim.subject_id)
    address = _address_of(stage, record, claim.use)
    proof = None
    if claim.proof is None:
        kind = PointType(POINT_OF.get(claim.use.channel, EMAIL))
        point = contact_point(kind, address or "", keys=KEYS, default_country="GB")
        proof = records.Proof(
            grade=Grade.A,
            ref="form-18",
            notice_id=stage.bundle.notice_at(claim.claimed_at),
            point=point.exact if point is not None else None,
            by_the_person=True,
        )
    with stage.ledger.begin() as tx:
        review.approve(
            tx, claim.id, proof, by="anna", approved_by="bert", at=at, policy=stage.policy
        )
    direct = claim.proof is None or claim.proof.trust is Trust.SUBJECT_DIRECT
    claimed_at = claim.claimed_at if claim.proof is None else claim.proof.happened_at
    contacts = stage.contacts_of(record)
    if claim.proof is None:
        scoped = address if claim.use.channel in SCOPED else None
        yes = Yes(
            use=plain(claim.use),
            at=claimed_at,
            address=scoped,
            contacts=contacts,
            lasts=OLDEST,
        )
        stage.oracle.says_yes(yes, direct=True)
    else:
        for each in stage.oracle.yeses:  # what was typed on a row is now this person's
            if each.use == plain(claim.use) and each.at == claimed_at:
                each.contacts |= contacts
        if direct:
            stage.oracle.lifts(contacts, plain(claim.use), claimed_at)
    return f"two operators approve {words}"


def _address_of(stage: Stage, record: SubjectRecord, use: Use) -> str | None:
    contacts = stage.contacts()
    for contact_id in sorted(stage.contacts_of(record)):
        seen = contacts.get(contact_id)
        if seen is None or seen.deleted:
            continue
        found = (
            next(iter(seen.phones), None) if POINT_OF.get(use.channel) == "PHONE" else seen.email
        )
        if found is not None:
            return found
    return None


def corrects(stage: Stage, act: Act) -> str | None:
    """Two people prove that a stop was recorded in error."""
    with stage.ledger.reading() as tx:
        people = sorted({record.subject_id for record in stage.records().values()})
        told = [
            (event.id, subject_id, plain(event.use), event.reason)
            for subject_id, events in sorted(history.events_of(tx.connection, people).items())
            for event in events
            if event.kind in STOPS
        ]
    event = act.one(told, act.who)
    if event is None or stage.is_uncertain:
        return None
    event_id, subject_id, use, reason = event
    with stage.ledger.begin() as tx:
        corrections.correct_stops(
            tx,
            [event_id],
            evidence_ref="error-3",
            by="anna",
            approved_by="bert",
            at=stage.now(),
            policy=stage.policy,
        )
    uses = [
        each
        for each in (*USES, (RESEARCH, "EMAIL"))
        if use[0] in (ANY, each[0]) and use[1] in (ANY, each[1])
    ]
    contacts = stage.contacts_of(stage.record(subject_id))
    stage.oracle.forgives(contacts, uses)
    if reason == IMPORTED:
        stage.oracle.forgives_file(contacts, uses)
    return f"two operators take a stop of {use[0]}/{use[1]} back as an error"


def answers_a_case(stage: Stage, act: Act) -> str | None:
    """A case of somebody's rights is answered."""
    with stage.ledger.reading() as tx:
        waiting = tx.cases(waiting=True)
    case = act.one(sorted(waiting, key=lambda each: each.id), act.who)
    if case is None:
        return None
    at = stage.now()
    state = _end_of(case, act)
    if state is CaseState.OVERRIDDEN and stage.is_uncertain:
        return None
    record = stage.record(case.subject_id)
    contacts = stage.contacts_of(record)
    with stage.ledger.begin() as tx:
        tx.close_case(
            replace(case, state=state, decision_reason="looked into", reply_sent_at=at),
            by="anna",
            approved_by="bert",
            at=at,
            policy=stage.policy,
        )
    if case.kind is CaseKind.ERASURE and state is CaseState.DONE:
        stage.oracle.erases(contacts, at)
    elif case.kind is CaseKind.RESTRICTION:
        for contact_id in contacts:
            stage.oracle.restricted.pop(contact_id, None)
    elif state is CaseState.OVERRIDDEN:
        stage.oracle.forgives(contacts, [(RESEARCH, "EMAIL")])
    return f"two operators close a case of {case.kind} as {state}"


def _end_of(case: RightsCase, act: Act) -> CaseState:
    match case.kind:
        case CaseKind.OBJECTION | CaseKind.PROFILING_OBJECTION:
            return (CaseState.UPHELD, CaseState.OVERRIDDEN)[act.how % 2]
        case CaseKind.MARKETING_OBJECTION:
            return CaseState.UPHELD
        case _:
            return CaseState.DONE if act.how % 4 else CaseState.REFUSED


def closes_the_circuit(stage: Stage, _: Act) -> str | None:
    """A person has looked at a mass change, and lets it through."""
    with stage.ledger.begin() as tx:
        closed = tx.close_circuit(
            stage.world.org_id,
            by="anna",
            reason="looked at",
            at=stage.now(),
            policy=stage.policy,
        )
    return "an operator closes the circuit" if closed else None


PARTS: Mapping[str, Part] = {
    name: unless_declined(Part(weight=weight, play=play))
    for name, weight, play in (
        ("reviews", 7, reviews),
        ("corrects", 1, corrects),
        ("answers_a_case", 4, answers_a_case),
        ("closes_the_circuit", 2, closes_the_circuit),
    )
}
