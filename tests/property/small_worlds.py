"""Small worlds, however strange: up to three Contacts, their rows, and what the ledger holds of them."""

from collections.abc import Sequence
from dataclasses import fields as fields_of
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from hypothesis import strategies as st

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import (
    Involvement,
    Policy,
    PurposeStatus,
    SurgeRule,
)
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.events import ActorKind, EventKind
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.fold import FoldedSubject, fold
from salesforce_bridge.permissions.keys import SubjectId, Use
from salesforce_bridge.permissions.proofs import Proof
from salesforce_bridge.permissions.rights import CaseKind, CaseState, RightsCase
from salesforce_bridge.permissions.suppressions import Scope, Suppression
from salesforce_bridge.reconcile.contact_edits import FLAG_FIELDS
from salesforce_bridge.reconcile.facts import (
    ACTIVE,
    AMBIGUOUS,
    CLOSED_SOFT,
    MERGED_INTO,
    Candidate,
    ContactFields,
    ContactSnapshot,
    HeldPoint,
    Individual,
    LeadFlags,
    RefusedWrite,
    RowSnapshot,
)
from salesforce_bridge.reconcile.intent import Circuit
from salesforce_bridge.reconcile.words import Request, Status
from tests.unit.permissions.examples import POLICY
from tests.unit.reconcile.worlds import (
    BASES,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    NOTICES,
    REP,
    RESEARCH,
    SERVICE,
    World,
    a_contact,
    a_point,
    a_record,
    a_row,
    a_use,
    an_event,
    contact_id,
    every_condition,
    subject_id,
)

ADDRESSES = ("ann@example.org", "bob@example.org", "cid@example.org", "+442071111111")
MARKETING = (NEWS_BY_EMAIL, NEWS_BY_CALL, NEWS_BY_POST)
KNOWN = (*MARKETING, RESEARCH, SERVICE, NOTICES)
UNKNOWN = (a_use("gone_purpose"), a_use(channel="PIGEON"), a_use("direct_marketing", "FAX"))
WIDE = (a_use("*", "*"), a_use("*", "EMAIL"), a_use("*", "LIVE_CALL"))
WORDS = (*(each.value for each in Status), None, "", "permitted", "Yes!")
REQUESTS = (*(each.value for each in Request), None, None, None, "", "Maybe")
# Kinds that make something valid come up more often, so that there is something to lose.
LOADER = "005000000000007AAA"
RIGHTS = tuple(
    each.name for each in fields_of(Individual) if each.type == "bool" or each.type is bool
)
IN_THE_WAY = (
    ConditionKind.RESTRICTION,
    ConditionKind.RESTRICTION,
    ConditionKind.DECEASED,
    ConditionKind.MINOR,
    ConditionKind.UNDELIVERABLE,
    ConditionKind.DNC_LISTED,
)
REFUSED = (
    RefusedWrite(target="Contact", use=None, code="[SB-Result_Fields]", stop=False),
    RefusedWrite(target="Permission__c", use=NEWS_BY_POST, code="ROW_LOCK", stop=True),
)
KINDS = (*EventKind, *(EventKind.GRANT, EventKind.ESTABLISH) * 4)


def hours(count: float) -> datetime:
    return NOON + timedelta(hours=count)


YES_OR_NO = st.booleans()
CHOSEN = st.sets(st.sampled_from(ADDRESSES), max_size=2)
Option = TypeVar("Option")


@cache
def between(least: int, most: int) -> st.SearchStrategy[int]:
    return st.integers(least, most)


def pick(draw: st.DrawFn, options: Sequence[Option]) -> Option:
    """Draw one of some options; the first is the simplest."""
    return options[draw(between(0, len(options) - 1))]


def rarely(draw: st.DrawFn, odds: int) -> bool:
    return draw(between(0, odds)) == odds


@st.composite
def histories(draw: st.DrawFn, whose: SubjectId) -> FoldedSubject:
    told = []
    for number in range(draw(between(0, 5))):
        use = pick(draw, ((*KNOWN, *MARKETING, *MARKETING, *UNKNOWN[:1], *WIDE)))
        kind = pick(draw, (KINDS))
        event = an_event(
            whose,
            kind,
            use,
            hours(draw(between(-20, 0))),
            id=f"{whose}-{number}",
            basis=BASES.get(use.purpose, LawfulBasis.CONSENT),
            actor=pick(draw, ((ActorKind.PERSON, ActorKind.PERSON, *ActorKind))),
            trust=pick(draw, ((Trust.SUBJECT_DIRECT, Trust.SUBJECT_DIRECT, *Trust))),
            grade=pick(draw, ((Grade.A, Grade.A, *Grade))),
            own=pick(draw, ((True, True, False))),
            notice_id=pick(draw, (("consent-en-1", "consent-en-1", None))),
            effective_to=pick(draw, ((None, None, hours(-1), hours(30)))),
            point=pick(draw, ([None, *(a_point(each).exact for each in ADDRESSES)])),
        )
        told.append(event)
    return fold(told, policy=POLICY)


@cache
def conditions(whose: SubjectId) -> st.SearchStrategy[tuple[Condition, ...]]:
    ended = tuple(replace(each, valid_to=hours(-2)) for each in every_condition(whose))
    return st.sampled_from((every_condition(whose), every_condition(whose), ended, ()))


@st.composite
def claims(draw: st.DrawFn, whose: SubjectId) -> tuple[Candidate, ...]:
    if draw(YES_OR_NO):
        return ()
    claim = Candidate(
        id=f"claim-{whose}",
        subject_id=whose,
        use=pick(draw, (KNOWN)),
        reason="GRANT_QUARANTINED_ATTESTED",
        claimed_at=hours(-5),
        evidence_ref="ref",
        note_digest=None,
        claimed_by=None,
        source_record="a00",
        expires_at=pick(draw, ((hours(-1), hours(100)))),
        open=draw(YES_OR_NO),
    )
    return (claim,)


@st.composite
def restrictions(draw: st.DrawFn, whose: SubjectId) -> tuple[Condition, ...]:
    """Facts that stand in the way of something, mostly none."""
    if not rarely(draw, 4):
        return ()
    return (
        Condition(
            id=f"obstacle-{whose}",
            subject_id=whose,
            kind=pick(draw, IN_THE_WAY),
            ref="ref-2",
            valid_from=hours(draw(between(-9, -1))),
            valid_to=pick(draw, (None, None, hours(-1), hours(9))),
            purpose=pick(draw, (None, None, NEWS_BY_EMAIL.purpose)),
        ),
    )


@st.composite
def rights_cases(draw: st.DrawFn, whose: SubjectId) -> tuple[RightsCase, ...]:
    if not rarely(draw, 4):
        return ()
    return (
        RightsCase(
            id=f"case-{whose}",
            kind=pick(draw, tuple(CaseKind)),
            subject_id=whose,
            received_at=hours(-800),
            due_at=pick(draw, (hours(-5), hours(20), hours(2_000))),
            state=pick(draw, (CaseState.OPEN, CaseState.UPHELD)),
            purpose=pick(draw, (None, NEWS_BY_EMAIL.purpose)),
            reminded_at=pick(draw, (None, hours(-30))),
        ),
    )


@st.composite
def silenced(draw: st.DrawFn) -> tuple[Suppression, ...]:
    """Addresses that must stay silent, mostly none."""
    if not rarely(draw, 4):
        return ()
    return (
        Suppression(
            hmac=a_point(pick(draw, ADDRESSES), pick(draw, (1, 1, 2))).hmac,
            key_version=1,
            scope=pick(draw, tuple(Scope)),
            controller=POLICY.controller,
            since=hours(draw(between(-9, -1))),
            reason="SUPPRESSED",
            after_erasure=draw(YES_OR_NO),
            expires_at=pick(draw, (None, None, hours(-1))),
        ),
    )


@st.composite
def individuals(draw: st.DrawFn) -> Individual | None:
    if not rarely(draw, 4):
        return None
    asked = draw(st.sets(st.sampled_from(RIGHTS), max_size=2))
    flags: dict[str, Any] = dict.fromkeys(sorted(asked), True)
    return Individual(individual_id="0PK000000000001AAA", **flags)


@st.composite
def proofs(draw: st.DrawFn, use: Use) -> Proof | None:
    """A yes that a machine has checked, mostly for this very use and an address somebody has."""
    if draw(YES_OR_NO):
        return None
    point = a_point(pick(draw, ADDRESSES), pick(draw, (1, 1, 2)))
    return Proof(
        id=f"yes-{draw(between(1, 2))}",
        kind=pick(draw, (*sorted(POLICY.proofs), "UNKNOWN")),
        use=pick(draw, (use, use, use, NEWS_BY_EMAIL)),
        happened_at=hours(draw(between(-25, 1))),
        notice_id=pick(draw, ("consent-en-1", "consent-en-1", "gone")),
        point=point.exact,
        trust=Trust.MACHINE,
        grade=Grade.NONE,
    )


@st.composite
def contacts(draw: st.DrawFn, number: int, others: int) -> ContactSnapshot:
    version = pick(draw, ((1, 1, 1, 1, 2, 2)))
    older = version == 2 and draw(YES_OR_NO)
    chosen = draw(CHOSEN)
    lead = LeadFlags(lead_id="00Q", opted_out_of_email=draw(YES_OR_NO)) if rarely(draw, 5) else None
    deleted = rarely(draw, 4)
    masters = [None, *(contact_id(each) for each in range(1, others + 2) if each != number)]
    return a_contact(
        number,
        modstamp=hours(draw(between(-9, -1))),
        deleted=deleted,
        master_id=pick(draw, (masters)) if deleted else None,
        points=tuple(sorted(a_point(each, version) for each in chosen)),
        older=tuple(sorted(a_point(each) for each in chosen)) if older else (),
        individual=draw(individuals()),
        lead=lead,
        country=pick(draw, (("United Kingdom", "United Kingdom", "Germany", None, "?"))),
        opted_out_of_email=rarely(draw, 3),
        opted_out_of_fax=rarely(draw, 5),
        do_not_call=rarely(draw, 3),
        fields=ContactFields(
            lawful_basis=pick(draw, (("Consent", None))),
            consent_status=pick(draw, (WORDS)),
            valid_until=pick(draw, ((None, hours(-2), hours(30), hours(90)))),
            reason=pick(draw, ((None, "Because."))),
        ),
    )


@st.composite
def rows(draw: st.DrawFn, number: int, others: int) -> RowSnapshot:
    use = pick(draw, ((*KNOWN, *MARKETING, *MARKETING, *UNKNOWN)))
    of = pick(draw, ((*range(1, others + 1), *range(1, others + 1), None, 9)))
    keyed = pick(draw, ((of, of, *range(1, others + 1), None)))
    named = pick(draw, ((use, use, use, NEWS_BY_EMAIL)))
    key = None if keyed is None else f"{contact_id(keyed)}:{named.purpose}:{named.channel}"
    proof = draw(proofs(use))
    return a_row(
        number,
        of=of,
        use=use,
        modstamp=hours(draw(between(-9, -1))),
        deleted=rarely(draw, 5),
        request=pick(draw, (REQUESTS)),
        request_evidence=pick(draw, ((None, "call 17"))) if proof is None else f"token:{proof.id}",
        proof=proof,
        modified_by=pick(draw, (REP, REP, LOADER)),
        ledger_key=pick(draw, ((key, key, key, "garbage"))),
        consent_status=pick(draw, (WORDS)),
        effective_to=pick(draw, ((None, hours(-2), hours(30), hours(90)))),
        capture_date=pick(draw, ((None, hours(-50), hours(50)))),
        evidence_ref=pick(draw, ((None, "form 3"))),
    )


LINKS = (ACTIVE, ACTIVE, ACTIVE, AMBIGUOUS, CLOSED_SOFT, MERGED_INTO, None, None)


BEFORE = ("absent", "equal", "older")


def put_contact(draw: st.DrawFn, world: World, number: int, count: int) -> None:
    """A Contact, perhaps seen before as it is or as it was, perhaps linked to somebody."""
    contact = draw(contacts(number, count))
    world.contacts[contact.contact_id] = contact
    before = pick(draw, BEFORE)
    if before != "absent":
        older = draw(contacts(number, count)) if before == "older" else contact
        flags = tuple(each for each in FLAG_FIELDS if getattr(older, each))
        mine = flags if draw(YES_OR_NO) else ()
        world.contact_mirrors[contact.contact_id] = replace(older, bridge_set=mine)
    state = pick(draw, LINKS)
    if state is not None:
        subject = pick(draw, (number, number, number, 1))
        into = contact_id(pick(draw, range(1, count + 1))) if state == MERGED_INTO else None
        world.link(number, subject=subject, state=state, merged_into=into)


def put_row(draw: st.DrawFn, world: World, number: int, count: int) -> None:
    """A row, perhaps seen before as it is or as it was."""
    row = draw(rows(number, count))
    world.rows[row.row_id] = row
    before = pick(draw, BEFORE)
    if before == "absent":
        return
    older = draw(rows(number, count)) if before == "older" else row
    # A key is never rewritten by anybody who may write it.
    key = row.fields.ledger_key or older.fields.ledger_key
    older = replace(older, fields=replace(older.fields, ledger_key=key))
    world.row_mirrors[row.row_id] = older
    if older.fields.contact_id is not None:
        world.row_owners[row.row_id] = older.fields.contact_id


@st.composite
def worlds(draw: st.DrawFn, most: int = 3) -> World:
    world = World()
    if rarely(draw, 3):
        world.adopt(CHANGED)
    if rarely(draw, 5):
        world.refused = {contact_id(1): (pick(draw, REFUSED),)}
    count = draw(between(1, most))
    for number in range(1, count + 1):
        put_contact(draw, world, number, count)
    for number in range(1, draw(between(0, 3)) + 1):
        put_row(draw, world, number, count)
    if rarely(draw, 5):
        world.purge(pick(draw, sorted(world.contacts)))
    if rarely(draw, 3):
        # Somebody known from elsewhere, with an address and no Contact.
        point = HeldPoint(point=a_point(pick(draw, ADDRESSES)), retired=False)
        world.records[subject_id(7)] = a_record(7, points=(point,))
    world.suppressions = draw(silenced())
    for whose in tuple(world.records):
        put_past(draw, world, whose)
    return world


def put_past(draw: st.DrawFn, world: World, whose: SubjectId) -> None:
    """What the ledger holds of somebody, and under which bundle they were last judged."""
    record, past = world.records[whose], draw(histories(whose))
    world.records[whose] = replace(
        record,
        permissions=past.permissions,
        stops=past.stops,
        hold=past.hold,
        conditions=(*draw(conditions(whose)), *draw(restrictions(whose))),
        candidates=draw(claims(whose)),
        cases=draw(rights_cases(whose)),
        former_jurisdiction=pick(draw, (None, None, None, "DE")),
        moved_at=hours(-6),
        policy_digest=pick(draw, (POLICY.digest, CHANGED.digest, None)),
    )
    if rarely(draw, 9):
        forget(world, whose)


def forget(world: World, whose: SubjectId) -> None:
    """The person was erased: every key, and every address but for its silence."""
    record = world.records[whose]
    gone = fold(
        [an_event(whose, EventKind.ERASE, use, hours(-1), id=f"{whose}-{use}") for use in KNOWN],
        policy=POLICY,
    )
    world.suppressions += tuple(
        Suppression(
            hmac=held.point.hmac,
            key_version=held.point.key_version,
            scope=Scope.MARKETING,
            controller=POLICY.controller,
            since=hours(-1),
            reason="ERASED",
            after_erasure=True,
        )
        for held in record.points
    )
    world.records[whose] = a_record(
        subject_id=whose,
        permissions=gone.permissions,
        links=record.links,
        policy_digest=record.policy_digest,
        erased=True,
    )


@st.composite
def surging_worlds(draw: st.DrawFn) -> World:
    """Worlds in which two edits are many, or a mass change is waiting already."""
    world = draw(worlds())
    world.policy = replace(
        world.policy, surge=SurgeRule(floor=2, share=0.0, ceiling=0, bulk_authors=(LOADER,))
    )
    world.circuit = pick(
        draw,
        (
            Circuit(live_rows=2),
            Circuit(live_rows=2, edits={REP: 1}),
            Circuit(live_rows=2, closed_at=hours(-5)),
            Circuit(is_open=True),
        ),
    )
    return world


def _changed() -> Policy:
    """The same policy after some years: purposes given up and moved to another basis, newer notices."""
    research, service = (POLICY.purposes[each.purpose] for each in (RESEARCH, SERVICE))
    news = POLICY.purposes[NEWS_BY_EMAIL.purpose]
    interest = tuple(
        replace(each, basis=LawfulBasis.LEGITIMATE_INTEREST) for each in service.assignments
    )
    newer = replace(
        POLICY.notices["consent-en-1"],
        id="consent-en-2",
        version=2,
        published_at=hours(-4),
        supersedes="consent-en-1",
        material=True,
    )
    return replace(
        POLICY,
        version="changed",
        digest="changed",
        purposes={
            **POLICY.purposes,
            news.key: replace(news, involves=(Involvement.PROFILING,), renewal_campaign="701C"),
            research.key: replace(
                research, status=PurposeStatus.RETIRED, successor=NEWS_BY_EMAIL.purpose
            ),
            service.key: replace(
                service, assignments=interest, assessment=research.assessment, version=2
            ),
        },
        notices={**POLICY.notices, newer.id: newer},
    )


CHANGED = _changed()
