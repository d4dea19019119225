"""Scenarios of what is decided beside the table: by people in the ledger, by the clock, and about the policy itself."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from salesforce_bridge.ledger import review
from salesforce_bridge.ledger.proving import Proof
from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.policy_check import check_text
from salesforce_bridge.permissions.rights import CaseKind
from tests.integration.reasons.law import (
    EVERYTHING,
    NEWS,
    OFFERS,
    RESEARCH,
    SERVICE,
    changed,
    on_another_basis,
)
from tests.integration.reasons.promises import decisions_about, entries, seq_of
from tests.integration.reasons.scene import DAY, GRANT, HOUR, OBJECTS, STOP, Scene
from tests.integration.reasons.unchanged import LIMITED, NEVER_ASKED, PERMITTED, STOPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A code, and what is wrong once it was come to; nothing, if all is well."""

    code: str
    play: Callable[[Scene], Iterable[str]]

    @property
    def name(self) -> str:
        """The sentence it is."""
        return f"{self.code}-{self.play.__name__}"


def comes_to(code: str) -> Callable[[Callable[[Scene], Iterable[str]]], Beside]:
    """Mark a function as a scenario that comes to a code outside the table."""

    def marked(play: Callable[[Scene], Iterable[str]]) -> Beside:
        return Beside(code=code, play=play)

    return marked


def scenarios_in(names: Mapping[str, object]) -> tuple[Beside, ...]:
    """All scenarios of a module."""
    return tuple(each for each in names.values() if isinstance(each, Beside))


def _deeds(scene: Scene, code: str, *, since: int) -> Iterable[str]:
    """Say so, unless exactly one deed with a reason was sealed."""
    found = [each for each in entries(scene, since=since) if each.kind == "DEED"]
    if [each.header["reason"] for each in found] != [code]:
        yield f"deeds: {[(each.header['verb'], each.header['reason']) for each in found]}"


def _decided(
    scene: Scene, who: str, code: str, *, since: int, use: Use = EVERYTHING
) -> Iterable[str]:
    """Say so, unless exactly one decision was sealed about the whole person."""
    found = decisions_about(scene, who, use, since=since)
    if [each.header["reason"] for each in found] != [code]:
        yield f"sealed: {[(each.header['situation'], each.header['reason']) for each in found]}"


def _claimed(scene: Scene) -> str:
    """Somebody for whom a rep claims a yes, with a reference that waits for a look at it."""
    who = scene.cast["neutral"]
    scene.request(who, NEWS, GRANT, "form 17, drawer 3")
    scene.settle()
    return who


@comes_to("QUARANTINE_APPROVED")
def two_people_let_a_claim_become_a_grant(scene: Scene) -> Iterable[str]:
    who = _claimed(scene)
    (claim,) = scene.person(who).candidates
    since = seq_of(scene)
    proof = Proof(grade=Grade.B, ref="scan 17", notice_id="consent-1", point=scene.address(who))
    with scene.ledger.begin() as tx:
        review.approve(
            tx,
            claim.id,
            proof,
            by="anna",
            approved_by="ben",
            at=scene.now,
            policy=scene.world.policy,
        )
    yield from _deeds(scene, "QUARANTINE_APPROVED", since=since)
    scene.settle()
    yield from scene.shows_otherwise(who, NEWS, *PERMITTED)
    if scene.answer(who, NEWS).reason != "ALLOW_CONSENT":
        yield f"the answer: {scene.answer(who, NEWS)}"
    if any(each.open for each in scene.person(who).candidates):
        yield "the claim waits still"


@comes_to("QUARANTINE_APPROVED")
def two_people_let_the_persons_own_later_yes_lift_a_no(scene: Scene) -> Iterable[str]:
    who = scene.cast["stopped"]
    scene.request(who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - HOUR))
    scene.settle()
    (claim,) = scene.person(who).candidates
    since = seq_of(scene)
    with scene.ledger.begin() as tx:
        review.approve(
            tx, claim.id, by="anna", approved_by="ben", at=scene.now, policy=scene.world.policy
        )
    yield from _deeds(scene, "QUARANTINE_APPROVED", since=since)
    scene.settle()
    yield from scene.shows_otherwise(who, NEWS, *PERMITTED)


@comes_to("QUARANTINE_REFUSED")
def one_person_is_enough_to_refuse_a_claim(scene: Scene) -> Iterable[str]:
    who = _claimed(scene)
    (claim,) = scene.person(who).candidates
    since = seq_of(scene)
    with scene.ledger.begin() as tx:
        review.refuse(tx, claim.id, by="anna", at=scene.now, policy=scene.world.policy)
    yield from _deeds(scene, "QUARANTINE_REFUSED", since=since)
    scene.settle()
    yield from scene.shows_otherwise(who, NEWS, *NEVER_ASKED)
    (row,) = scene.rows_shown(who, NEWS)
    if row["Reason_Code__c"] != "DENY_NOT_ESTABLISHED":
        yield f"the row still waits: {row}"


@comes_to("QUARANTINE_TIMED_OUT")
def a_claim_that_nobody_judged_is_closed(scene: Scene) -> Iterable[str]:
    who = _claimed(scene)
    (claim,) = scene.person(who).candidates
    scene.until(claim.expires_at)
    since = seq_of(scene)
    scene.cycle()
    yield from _decided(scene, who, "QUARANTINE_TIMED_OUT", since=since, use=NEWS)
    (closed,) = scene.person(who).candidates
    if (closed.open, closed.decision) != (False, "QUARANTINE_TIMED_OUT"):
        yield f"the claim: {closed}"
    yield from scene.shows_otherwise(who, NEWS, *NEVER_ASKED)


@comes_to("STOP_CORRECTED_AS_ERROR")
def two_people_take_back_a_no_that_was_an_error_and_permit_nothing(
    scene: Scene,
) -> Iterable[str]:
    who = scene.cast["agreed"]
    scene.request(who, NEWS, STOP)
    scene.settle()
    since = seq_of(scene)
    scene.correct(who)
    yield from _deeds(scene, "STOP_CORRECTED_AS_ERROR", since=since)
    scene.settle()
    yield from scene.shows_otherwise(who, NEWS, *NEVER_ASKED)
    if scene.answer(who, NEWS).reason != "DENY_NOT_ESTABLISHED":
        yield f"the answer: {scene.answer(who, NEWS)}"
    # The yes of before counts again only once its proof is recorded anew.
    scene.request(
        who, NEWS, GRANT, scene.token(who, NEWS, said_at=scene.now - timedelta(minutes=1))
    )
    scene.settle()
    yield from scene.shows_otherwise(who, NEWS, *PERMITTED)


@comes_to("RIGHTS_CASE_OPENED_PORTABILITY")
def who_wants_a_copy_keeps_what_was_permitted(scene: Scene) -> Iterable[str]:
    who = scene.cast["agreed"]
    scene.privacy_record(who, SendIndividualData=True)
    since = seq_of(scene)
    scene.cycle()
    yield from _decided(scene, who, "RIGHTS_CASE_OPENED_PORTABILITY", since=since)
    if scene.cases(who) != [CaseKind.PORTABILITY]:
        yield f"the cases: {scene.cases(who)}"
    yield from scene.shows_otherwise(who, NEWS, *PERMITTED)
    scene.settle()
    if scene.cases(who) != [CaseKind.PORTABILITY]:
        yield f"the cases at rest: {scene.cases(who)}"


def _owed(scene: Scene, code: str, *, before: timedelta) -> Iterable[str]:
    who = scene.cast["agreed"]
    case = scene.open_case(who, CaseKind.ACCESS)
    scene.settle()
    scene.until(case.due_at - before)
    since = seq_of(scene)
    scene.cycle()
    yield from _decided(scene, who, code, since=since)
    yield from scene.shows_otherwise(who, NEWS, *PERMITTED)
    since = seq_of(scene)
    scene.settle()
    if decisions_about(scene, who, EVERYTHING, since=since):
        yield "somebody is told twice"


@comes_to("RIGHTS_CASE_DUE_SOON")
def a_week_before_an_answer_is_due_somebody_is_told(scene: Scene) -> Iterable[str]:
    return _owed(scene, "RIGHTS_CASE_DUE_SOON", before=7 * DAY)


@comes_to("RIGHTS_CASE_OVERDUE")
def once_an_answer_is_late_somebody_is_told(scene: Scene) -> Iterable[str]:
    return _owed(scene, "RIGHTS_CASE_OVERDUE", before=timedelta())


@comes_to("JURISDICTION_DEFAULTED_STRICTEST")
def whoever_is_nowhere_is_judged_by_the_strictest_law(scene: Scene) -> Iterable[str]:
    who = scene.stranger(MailingCountry=None)
    since = seq_of(scene)
    scene.cycle()
    notes = {
        use: [each.header["notes"] for each in decisions_about(scene, who, use, since=since)]
        for use in (NEWS, RESEARCH)
    }
    if notes[NEWS] != [["JURISDICTION_DEFAULTED_STRICTEST"]]:
        yield f"the notes: {notes}"
    # A scan that somebody looked at is enough for the news in general, and not where nobody knows whose law counts.
    scene.settle()
    scene.request(who, NEWS, GRANT, "form 18")
    scene.settle()
    (claim,) = scene.person(who).candidates
    proof = Proof(grade=Grade.B, ref="scan 18", notice_id="consent-1", point=scene.address(who))
    with scene.ledger.begin() as tx:
        review.approve(
            tx,
            claim.id,
            proof,
            by="anna",
            approved_by="ben",
            at=scene.now,
            policy=scene.world.policy,
        )
    scene.settle()
    if scene.answer(who, NEWS).reason != "DENY_EVIDENCE_BELOW_GRADE":
        yield f"the answer: {scene.answer(who, NEWS)}"
    yield from scene.shows_otherwise(who, NEWS, *LIMITED)


@comes_to("POLICY_BUNDLE_ACTIVATED")
def another_bundle_is_put_in_force_by_two_people(scene: Scene) -> Iterable[str]:
    since = seq_of(scene)
    after = scene.under(changed(scene.text))
    found = [each.header for each in entries(scene, since=since)]
    told = [(each["verb"], each["reason"], each["subject_key"]) for each in found]
    if [each[1:] for each in told] != [("POLICY_BUNDLE_ACTIVATED", None)]:
        yield f"sealed: {told}"
    after.settle()
    yield from after.shows_otherwise(scene.cast["agreed"], NEWS, *PERMITTED)
    people = [after.person(each).policy_digest for each in scene.cast.values()]
    if set(people) != {after.world.policy.digest}:
        yield "somebody was not judged under the new bundle"


@comes_to("MARKETING_ON_WRONG_BASIS")
def marketing_that_rests_on_a_contract_is_refused_and_an_objection_to_it_is_honoured(
    scene: Scene,
) -> Iterable[str]:
    text = changed(
        scene.text,
        on_another_basis("offers", 'basis = "LEGITIMATE_INTEREST"', 'basis = "CONTRACT"'),
    )
    found = [each.what for each in check_text(text) if each.level == "error"]
    if not any(each.startswith("MARKETING_ON_WRONG_BASIS") for each in found):
        yield f"the check: {found}"
    if [each.what for each in check_text(scene.text) if each.level == "error"]:
        yield "the bundle of the scenarios is refused itself"
    after, who = scene.under(text), scene.cast["customer"]
    after.establish(who, OFFERS, "contract 18")
    after.settle()
    after.request(who, OFFERS, OBJECTS)
    after.settle()
    if after.class_of(who, OFFERS) != "L4":
        yield f"the offers: {after.class_of(who, OFFERS)}"
    yield from after.shows_otherwise(who, NEWS, *STOPPED)
    yield from after.shows_otherwise(who, OFFERS, *STOPPED)
    yield from after.shows_otherwise(who, SERVICE, *PERMITTED)
