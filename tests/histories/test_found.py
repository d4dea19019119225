"""Histories that once broke a law, as short as they could be told: none of them may do so again."""

from datetime import timedelta
from functools import partial

import pytest

from salesforce_bridge.ledger import corrections, history, records
from salesforce_bridge.permissions.contact_points import PointType, contact_point
from salesforce_bridge.permissions.events import STOPS
from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, Channel, PurposeKey, Use
from salesforce_bridge.permissions.proofs import Token, issue
from tests.histories import operators, people, reviewers
from tests.histories.bundles import NEWS
from tests.histories.checks import look
from tests.histories.meeting import STOP, YES, Asked, Ticked, Wished
from tests.histories.oracle import OLDEST, SCOPED, No, Yes
from tests.histories.playing import Step, Theatre
from tests.histories.scripted import Act
from tests.histories.stage import PROOF_KEYS, ROW, Stage
from tests.unit.salesforce.scripted import KEYS

SHARED_PHONE = "+442079460018"
CALLS, POST, MAIL = (NEWS, "LIVE_CALL"), (NEWS, "POST"), (NEWS, "EMAIL")


def _holds(stage: Theatre, *steps: Step) -> None:
    outcome = stage.tell(steps)
    assert outcome.failure is None, outcome.story()


def _id(stage: Stage, name: str) -> str:
    return next(each for each, told in stage.names.items() if told == name)


def _meets(stage: Stage, *, email: str | None, phone: str | None = None, flag: str = "") -> str:
    fields = {"Email": email, "Phone": phone, "MailingCountry": "United Kingdom"}
    ticked = {flag: True} if flag else {}
    made = stage.director.rep.create("Contact", LastName="Person", **fields, **ticked)
    if flag:
        stage.pending.append(Ticked(contact_id=made, flag=flag, at=stage.now()))
    return f"a rep types in Contact {stage.name(made)} ({email}, {phone}) {flag}"


def _runs(stage: Stage) -> str:
    look(stage)
    return "the bridge runs"


def _merges(stage: Stage, loser: str, winner: str) -> str:
    stage.director.admin.merge("Contact", _id(stage, winner), [_id(stage, loser)])
    return f"an admin merges Contact {loser} into {winner}"


def _deletes(stage: Stage, name: str) -> str:
    stage.director.admin.delete("Contact", _id(stage, name))
    return f"an admin deletes Contact {name}"


def _passes(stage: Stage, minutes: float) -> str:
    stage.advance(minutes * 60)
    return f"{minutes} minutes pass"


def _types_stop(stage: Stage, name: str, use: tuple[str, str]) -> str:
    row = next(each for each in stage.rows() if each.use == use and each.owner == _id(stage, name))
    stage.director.rep.update(ROW, row.id, Requested_Change__c=STOP)
    stage.pending.append(Asked(record_id=row.id, at=stage.now()))
    return f'a rep types "{STOP}" on the row {use[0]}/{use[1]} of Contact {name}'


def _ticks_no_email(stage: Stage, name: str) -> str:
    stage.director.rep.update("Contact", _id(stage, name), HasOptedOutOfEmail=True)
    ticked = Ticked(contact_id=_id(stage, name), flag="HasOptedOutOfEmail", at=stage.now())
    stage.pending.append(ticked)
    return f"a rep ticks HasOptedOutOfEmail on Contact {name}"


def _stops_marketing(stage: Stage, name: str) -> str:
    record, at = stage.records()[_id(stage, name)], stage.now()
    word = records.Word(
        subject_id=record.subject_id,
        verb=records.Verb.STOP,
        use=Use(purpose=ANY_PURPOSE, channel=ANY_CHANNEL),
        happened_at=at,
        by="anna",
    )
    with stage.ledger.begin() as tx:
        records.record_event(tx, word, at=at, policy=stage.policy)
    stage.oracle.tells(_id(stage, name), No(words=f"{name} stops all marketing", told_at=at))
    return f"an operator records that Contact {name} stops all marketing"


def _agrees(stage: Stage, name: str, use: tuple[str, str], *, ago: timedelta) -> str:
    seen, record = stage.contacts()[_id(stage, name)], stage.records()[_id(stage, name)]
    at = stage.now()
    address = next(iter(seen.phones)) if use == CALLS else seen.email or ""
    kind = PointType.PHONE if use == CALLS else PointType.EMAIL
    point = contact_point(kind, address, keys=KEYS, default_country="GB")
    assert point is not None
    word = records.Word(
        subject_id=record.subject_id,
        verb=records.Verb.GRANT,
        use=Use(purpose=PurposeKey(use[0]), channel=Channel(use[1])),
        happened_at=at - ago,
        by="anna",
        approved_by="bert",
        proof=records.Proof(
            grade=Grade.A,
            ref="form-17",
            notice_id=stage.bundle.notice_at(at - ago),
            point=point.exact,
            by_the_person=True,
        ),
    )
    with stage.ledger.begin() as tx:
        assert not records.record_event(tx, word, at=at, policy=stage.policy).refused
    yes = Yes(
        use=use,
        at=at - ago,
        address=address if use[1] in SCOPED else None,
        contacts=stage.contacts_of(record),
        lasts=OLDEST,
    )
    stage.oracle.says_yes(yes, direct=True)
    return f"an operator records a form of {ago} ago: Contact {name} says yes to {use[0]}/{use[1]}"


def _wants_to_be_forgotten(stage: Stage, name: str) -> str:
    individual = stage.director.admin.create("Individual", LastName="Private", ShouldForget=True)
    stage.director.admin.update("Contact", _id(stage, name), IndividualId=individual)
    wished = Wished(contact_id=_id(stage, name), wish="ShouldForget", at=stage.now())
    stage.pending.append(wished)
    return f"Contact {name} wants to be forgotten"


def _case_is_answered(stage: Stage) -> str | None:
    return reviewers.answers_a_case(stage, Act(name="answers_a_case", how=1))


def _claims(stage: Stage, name: str, use: tuple[str, str]) -> str:
    row = next(each for each in stage.rows() if each.use == use and each.owner == _id(stage, name))
    stage.director.rep.update(ROW, row.id, Requested_Change__c=YES)
    return f'a rep types "{YES}" on the row {use[0]}/{use[1]} of Contact {name}'


def _takes_back_what_was_carried(stage: Stage, name: str) -> str:
    record = stage.records()[_id(stage, name)]
    with stage.ledger.begin() as tx:
        told = history.events_of(tx.connection, [record.subject_id])[record.subject_id]
        carried = [each.id for each in told if each.kind in STOPS and not each.own][:1]
        corrections.correct_stops(
            tx,
            carried,
            evidence_ref="error-3",
            by="anna",
            approved_by="bert",
            at=stage.now(),
            policy=stage.policy,
        )
    stage.oracle.forgives([_id(stage, name)], [MAIL])
    return f"two operators take back what was carried to Contact {name}"


def _brings_a_file(stage: Stage, name: str) -> str | None:
    known = sorted(stage.names).index(_id(stage, name))
    return operators.imports(stage, Act(name="imports", who=known, what=3, how=3))


def _brings_an_objection_by_address(stage: Stage, email: str) -> str | None:
    place = people.EMAILS.index(email)
    return operators.imports(stage, Act(name="imports", who=place, what=0, how=2))


A_AND_B: tuple[Step, ...] = (
    partial(_meets, email="ann@example.org", phone=SHARED_PHONE),
    partial(_meets, email="ann@example.org", phone=SHARED_PHONE),
    _runs,
)


@pytest.mark.parametrize("minutes", [1, 60 * 24])
def test_a_no_of_somebody_merged_away_before_the_bridge_came_reaches_the_winner(
    on_sqlite: Theatre, minutes: int
) -> None:
    _holds(
        on_sqlite,
        partial(_meets, email="ann@example.org", flag="DoNotCall"),
        partial(_meets, email="bob@example.org"),
        partial(_merges, loser="A", winner="B"),
        partial(_passes, minutes=minutes),
        _runs,
    )


def test_a_carried_stop_that_was_taken_back_is_not_told_for_ever(on_sqlite: Theatre) -> None:
    _holds(
        on_sqlite,
        *A_AND_B,
        partial(_ticks_no_email, name="A"),
        _runs,
        partial(_takes_back_what_was_carried, name="B"),
        partial(_claims, name="B", use=POST),
    )


def test_a_no_of_somebody_who_was_merged_away_reaches_who_they_are_now(on_sqlite: Theatre) -> None:
    _holds(
        on_sqlite,
        *A_AND_B,
        partial(_merges, loser="A", winner="B"),
        _runs,
        partial(_agrees, name="B", use=CALLS, ago=timedelta(minutes=1)),
        _runs,
        partial(_stops_marketing, name="A"),
    )


def test_a_file_about_a_new_contact_does_not_make_it_somebody_with_a_consent(
    on_sqlite: Theatre,
) -> None:
    _holds(
        on_sqlite,
        partial(_meets, email="bob@example.org"),
        _runs,
        partial(_agrees, name="A", use=POST, ago=timedelta(minutes=1)),
        partial(_deletes, name="A"),
        _runs,
        partial(_meets, email="bob@example.org"),
        partial(_brings_a_file, name="B"),
    )


def test_who_shares_an_address_with_somebody_erased_is_shown_as_the_gates_say(
    on_sqlite: Theatre,
) -> None:
    _holds(
        on_sqlite,
        *A_AND_B,
        partial(_agrees, name="B", use=POST, ago=timedelta(minutes=1)),
        partial(_wants_to_be_forgotten, name="A"),
        _runs,
        _case_is_answered,
        _runs,
    )


def test_a_no_told_again_after_a_yes_of_whoever_shares_the_number_counts(
    on_sqlite: Theatre,
) -> None:
    _holds(
        on_sqlite,
        *A_AND_B,
        partial(_stops_marketing, name="A"),
        partial(_passes, minutes=40),
        partial(_types_stop, name="A", use=CALLS),
        partial(_agrees, name="B", use=CALLS, ago=timedelta(minutes=30)),
    )


def test_a_no_of_somebody_created_again_reaches_who_shared_a_number_with_them_at_once(
    on_sqlite: Theatre,
) -> None:
    _holds(
        on_sqlite,
        partial(_meets, email="cid@example.org", phone=SHARED_PHONE),
        partial(_meets, email="ann@example.org", phone=SHARED_PHONE),
        _runs,
        partial(_deletes, name="A"),
        _runs,
        partial(_meets, email="cid@example.org", flag="DoNotCall"),
        _runs,
    )


def test_a_no_of_their_own_after_one_that_a_file_may_have_meant_for_them_is_theirs(
    on_sqlite: Theatre,
) -> None:
    _holds(
        on_sqlite,
        *A_AND_B,
        partial(_brings_an_objection_by_address, email="ann@example.org"),
        partial(_meets, email="cid@example.org", phone=SHARED_PHONE),
        partial(_types_stop, name="B", use=CALLS),
        _runs,
    )


def test_a_no_that_a_file_brings_for_a_shared_address_reaches_who_has_it_later(
    on_sqlite: Theatre,
) -> None:
    _holds(
        on_sqlite,
        *A_AND_B,
        partial(_brings_an_objection_by_address, email="ann@example.org"),
        partial(_meets, email="ann@example.org"),
        _runs,
    )


def _undeletes(stage: Stage, name: str) -> str:
    stage.director.admin.undelete("Contact", _id(stage, name))
    return f"an admin undeletes Contact {name}"


def _proves(stage: Stage, name: str, use: tuple[str, str]) -> str:
    row = next(each for each in stage.rows() if each.use == use and each.owner == _id(stage, name))
    email, at = stage.contacts()[_id(stage, name)].email, stage.now().replace(microsecond=0)
    assert email is not None
    token = Token(
        kind="DOI_TOKEN",
        id="t1",
        happened_at=at,
        notice_id=stage.bundle.notice_at(at),
        use=Use(purpose=PurposeKey(use[0]), channel=Channel(use[1])),
        address=email,
    )
    proof = issue(token, PROOF_KEYS[token.kind])
    asked = {"Requested_Change__c": YES, "Requested_Change_Evidence__c": proof}
    stage.director.rep.update(ROW, row.id, **asked)
    yes = Yes(use=use, at=at, address=email, contacts={_id(stage, name)}, lasts=OLDEST)
    stage.oracle.says_yes(yes, direct=False)
    return f"a rep types in a token of {email} on the row {use[0]}/{use[1]} of Contact {name}"


def test_a_proven_yes_on_a_row_of_somebody_else_is_not_taken_for_whoever_it_hangs_on(
    on_sqlite: Theatre,
) -> None:
    _holds(
        on_sqlite,
        *A_AND_B,
        partial(_merges, loser="B", winner="A"),
        partial(_undeletes, name="B"),
        partial(_proves, name="B", use=POST),
    )


def test_a_late_yes_to_the_former_text_is_prompted_for_once_more_and_then_no_longer(
    on_sqlite: Theatre,
) -> None:
    _holds(
        on_sqlite,
        partial(_meets, email="ann@example.org"),
        _runs,
        partial(_agrees, name="A", use=MAIL, ago=timedelta(minutes=1)),
        partial(_passes, minutes=31 * 24 * 60),
        _a_new_text,
        _runs,
        partial(_passes, minutes=5),
        partial(_agrees, name="A", use=MAIL, ago=timedelta(minutes=30)),
    )


def _a_new_text(stage: Stage) -> str:
    stage.use_bundle(stage.bundle.with_notice(stage.now(), material=True))
    return "a new policy is put in force: a new notice that says something else"
