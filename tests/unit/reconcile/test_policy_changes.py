"""What another policy means for people who were judged under an earlier one, and what another country means."""

from dataclasses import replace
from typing import Any

import pytest

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import Notice, Policy, PurposeStatus
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import PurposeKey, Use
from salesforce_bridge.reconcile.facts import SubjectRecord
from salesforce_bridge.reconcile.findings import Finding
from tests.unit.reconcile.sightings import (
    POLICY,
    a_case,
    a_link,
    a_person,
    found,
    hours,
    told,
)
from tests.unit.reconcile.worlds import (
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    RESEARCH,
    a_contact,
    contact_id,
)

NEWS = PurposeKey("direct_marketing")
EARLIER = replace(POLICY, digest="earlier")
AGREED = POLICY.notices["consent-en-1"]
SAID_YES = (EventKind.GRANT, NEWS_BY_EMAIL, hours(-9))
RELIED_ON = (EventKind.ESTABLISH, RESEARCH, hours(-9))
EVERY_NEWS = {NEWS_BY_EMAIL, NEWS_BY_CALL, NEWS_BY_POST}


def a_notice(number: int, *, supersedes: str | None, **said: Any) -> Notice:
    plain: dict[str, Any] = {
        "id": f"consent-en-{number}",
        "version": number,
        "published_at": hours(number - 9),
        "supersedes": supersedes,
    }
    return replace(AGREED, **(plain | said))


def with_notices(policy: Policy, *notices: Notice) -> Policy:
    return replace(policy, notices={**policy.notices, **{each.id: each for each in notices}})


def with_purpose(policy: Policy, key: PurposeKey = NEWS, **said: Any) -> Policy:
    changed = replace(policy.purposes[key], **said)
    return replace(policy, purposes={**policy.purposes, key: changed})


def judged_before(*history: Any, **said: Any) -> SubjectRecord:
    return a_person(*history, **({"policy_digest": "earlier"} | said))


def changes(record: SubjectRecord, policy: Policy, before: Policy = EARLIER) -> tuple[Finding, ...]:
    return found(a_case(), people=(record,), policy=policy, earlier={before.digest: before})


RETIRED = with_purpose(POLICY, status=PurposeStatus.RETIRED)
MATERIAL = with_notices(POLICY, a_notice(2, supersedes="consent-en-1", material=True))
MINOR = with_notices(POLICY, a_notice(2, supersedes="consent-en-1"))


def assigned(basis: LawfulBasis, key: PurposeKey = NEWS) -> Policy:
    purpose = POLICY.purposes[key]
    return with_purpose(
        POLICY,
        key,
        assignments=tuple(replace(each, basis=basis) for each in purpose.assignments),
    )


@pytest.mark.parametrize(
    ("policy", "history", "expected"),
    [
        (RETIRED, (SAID_YES,), {"S29": EVERY_NEWS}),
        (RETIRED, (), {"S29": EVERY_NEWS}),
        (MATERIAL, (SAID_YES,), {"S30": EVERY_NEWS}),
        (MATERIAL, (), {"S30": EVERY_NEWS}),
        (MINOR, (SAID_YES, RELIED_ON), {"S31": EVERY_NEWS}),
        (assigned(LawfulBasis.LEGITIMATE_INTEREST), (SAID_YES,), {"S32": EVERY_NEWS}),
        (
            assigned(LawfulBasis.CONSENT, RESEARCH.purpose),
            (RELIED_ON,),
            {"S32": {RESEARCH}},
        ),
        (POLICY, (SAID_YES,), {}),
    ],
)
def test_a_new_bundle_is_told_for_the_uses_it_changes(
    policy: Policy, history: tuple[Any, ...], expected: dict[str, set[Use]]
) -> None:
    assert told(changes(judged_before(*history), policy)) == expected


@pytest.mark.parametrize("digest", [None, "forgotten", POLICY.digest])
@pytest.mark.parametrize("policy", [RETIRED, MATERIAL, assigned(LawfulBasis.CONTRACT)])
def test_who_was_judged_under_this_bundle_or_one_that_nobody_knows_is_told_nothing(
    policy: Policy, digest: str | None
) -> None:
    assert changes(judged_before(SAID_YES, policy_digest=digest), policy) == ()


def test_what_was_retired_or_published_before_is_told_no_more() -> None:
    for policy in (RETIRED, MATERIAL):
        assert changes(judged_before(SAID_YES), policy, replace(policy, digest="earlier")) == ()


def test_a_retired_purpose_is_told_as_retired_and_nothing_else() -> None:
    both = with_purpose(MATERIAL, status=PurposeStatus.RETIRED, assignments=())
    assert told(changes(judged_before(SAID_YES), both)) == {"S29": EVERY_NEWS}


def test_a_purpose_that_is_new_is_no_change_for_anybody() -> None:
    before = replace(
        EARLIER,
        purposes={key: each for key, each in EARLIER.purposes.items() if key != RESEARCH.purpose},
    )
    assert changes(judged_before(RELIED_ON), POLICY, before) == ()


def test_the_newest_of_several_notices_is_named_and_one_that_matters_makes_all_matter() -> None:
    policy = with_notices(
        POLICY,
        a_notice(2, supersedes="consent-en-1", material=True),
        a_notice(3, supersedes="consent-en-2"),
    )
    findings = changes(judged_before(SAID_YES), policy)
    assert told(findings) == {"S30": EVERY_NEWS}
    assert {each.notice_id for each in findings} == {"consent-en-3"}
    assert findings[0].observed == {"notice": ("consent-en-2", "consent-en-3")}


def test_a_notice_that_mattered_before_does_not_matter_again() -> None:
    before = with_notices(EARLIER, a_notice(2, supersedes="consent-en-1", material=True))
    policy = with_notices(
        POLICY,
        a_notice(2, supersedes="consent-en-1", material=True),
        a_notice(3, supersedes="consent-en-2"),
    )
    assert told(changes(judged_before(SAID_YES), policy, before)) == {"S31": EVERY_NEWS}


def test_a_notice_in_the_place_of_one_that_somebody_never_agreed_to_says_nothing_to_them() -> None:
    german = a_notice(7, supersedes=None, language="de")
    before = with_notices(EARLIER, german)
    policy = with_notices(POLICY, german, a_notice(8, supersedes=german.id, material=True))
    findings = changes(judged_before(SAID_YES), policy, before)
    assert told(findings) == {"S30": {NEWS_BY_CALL, NEWS_BY_POST}}


def test_the_first_notice_of_a_purpose_supersedes_nothing() -> None:
    policy = with_notices(POLICY, a_notice(2, supersedes=None, material=True))
    assert changes(judged_before(SAID_YES), policy) == ()


def test_notices_that_supersede_each_other_are_no_way_round_for_ever() -> None:
    policy = with_notices(
        POLICY,
        a_notice(2, supersedes="consent-en-3", material=True),
        a_notice(3, supersedes="consent-en-2", material=True),
    )
    assert changes(judged_before(SAID_YES), policy) == ()


def test_a_person_with_two_contacts_is_told_once() -> None:
    second = a_contact(2, points=a_contact(1).points)
    record = judged_before(SAID_YES, links=(a_link(), a_link(2)))
    findings = found(
        a_case(),
        a_case(second, contact_id=contact_id(2), mirror=second, link=a_link(2)),
        people=(record,),
        policy=RETIRED,
        earlier={"earlier": EARLIER},
    )
    assert {each.contact_id for each in findings} == {contact_id(1)}


# ---------------------------------------------------------------- another country


def test_a_country_under_another_law_is_told_for_every_use() -> None:
    findings = found(
        a_case(a_contact(1, country="Germany")), people=(a_person(SAID_YES, RELIED_ON),)
    )
    assert told(findings) == {"S33": {*EVERY_NEWS, RESEARCH}}
    now = POLICY.jurisdictions["germany"]
    assert findings[0].observed == {"jurisdiction": ("UK", now)}


@pytest.mark.parametrize(
    ("country", "jurisdiction"),
    [("united kingdom ", "UK"), ("UK", "UK"), ("Atlantis", "UNKNOWN"), (None, "UNKNOWN")],
)
def test_another_word_for_the_same_place_is_no_move(country: str | None, jurisdiction: str) -> None:
    record = a_person(SAID_YES, jurisdiction=jurisdiction)
    assert found(a_case(a_contact(1, country=country)), people=(record,)) == ()


def test_a_person_whose_contacts_name_two_countries_is_nowhere_for_certain() -> None:
    second = a_contact(2, points=a_contact(1).points, country="Germany")
    record = a_person(SAID_YES, links=(a_link(), a_link(2)))
    findings = found(
        a_case(),
        a_case(second, contact_id=contact_id(2), mirror=second, link=a_link(2)),
        people=(record,),
    )
    assert {each.observed["jurisdiction"] for each in findings} == {("UK", "UNKNOWN")}


def test_somebody_new_has_moved_from_nowhere() -> None:
    case = a_case(a_contact(1, country="Germany"), mirror=None, link=None)
    assert told(found(case)).keys() == {"S15"}


def test_another_basis_is_told_with_both_for_the_place_and_class_it_is_assigned_to() -> None:
    research = POLICY.purposes[RESEARCH.purpose]
    (assignment,) = research.assignments
    here = replace(assignment, jurisdiction="UK", basis=LawfulBasis.PUBLIC_TASK)
    there = replace(assignment, jurisdiction="*")
    policy = with_purpose(POLICY, RESEARCH.purpose, assignments=(here, there))
    (finding,) = changes(judged_before(RELIED_ON), policy)
    assert finding.observed == {"lawful_basis": ("LEGITIMATE_INTEREST", "PUBLIC_TASK")}
    in_france = judged_before(RELIED_ON, jurisdiction="FR")
    assert "S32" not in told(changes(in_france, policy))
    staff = replace(here, jurisdiction="*", subject_class="EMPLOYEE")
    policy = with_purpose(POLICY, RESEARCH.purpose, assignments=(staff, there))
    assert changes(judged_before(RELIED_ON), policy) == ()
    assert told(changes(judged_before(RELIED_ON, subject_class="EMPLOYEE"), policy)) == {
        "S32": {RESEARCH}
    }


def test_who_agreed_to_a_text_that_nobody_knows_any_more_is_told_of_every_newer_one() -> None:
    policy = with_notices(POLICY, a_notice(2, supersedes="consent-en-1", material=True))
    lost = (EventKind.GRANT, NEWS_BY_EMAIL, hours(-9))
    person = judged_before(lost)
    said = replace(person.permissions[NEWS_BY_EMAIL], notice_id="consent-en-0")
    person = replace(person, permissions={NEWS_BY_EMAIL: said})
    assert told(changes(person, policy)) == {"S30": EVERY_NEWS}
