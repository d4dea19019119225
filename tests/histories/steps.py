"""Steps of histories that somebody tells, each with its words, and told to the oracle as well."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from salesforce_bridge.ledger import corrections, history, records
from salesforce_bridge.permissions.contact_points import PointType, contact_point
from salesforce_bridge.permissions.events import STOPS
from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.keys import Channel, PurposeKey, Use
from salesforce_bridge.permissions.proofs import Token, issue
from tests.histories import operators, people, reviewers
from tests.histories.bundles import EVENTS, NEWS
from tests.histories.checks import look
from tests.histories.meeting import STOP, YES, Asked, Ticked, Wished
from tests.histories.oracle import ANY, OLDEST, SCOPED, No, Yes
from tests.histories.playing import Step, Theatre
from tests.histories.scripted import Act
from tests.histories.stage import PROOF_KEYS, ROW, Stage
from tests.unit.salesforce.scripted import KEYS

CALLS, POST, MAIL = (NEWS, "LIVE_CALL"), (NEWS, "POST"), (NEWS, "EMAIL")
SHARED_PHONE = "+442079460018"
INVITATIONS, EVERYTHING = (EVENTS, "EMAIL"), (ANY, ANY)


def holds(stage: Theatre, *steps: Step) -> None:
    """Tell a history, and see that no law breaks."""
    outcome = stage.tell(steps)
    assert outcome.failure is None, outcome.story()


def id_of(stage: Stage, name: str) -> str:
    return next(each for each, told in stage.names.items() if told == name)


def meets(
    stage: Stage,
    *,
    email: str | None,
    phone: str | None = None,
    flag: str = "",
    country: str = "United Kingdom",
) -> str:
    fields = {"Email": email, "Phone": phone, "MailingCountry": country}
    ticked = {flag: True} if flag else {}
    made = stage.director.rep.create("Contact", LastName="Person", **fields, **ticked)
    if flag:
        stage.pending.append(Ticked(contact_id=made, flag=flag, at=stage.now()))
    return f"a rep types in Contact {stage.name(made)} ({email}, {phone}) {flag}"


def runs(stage: Stage) -> str:
    look(stage)
    return "the bridge runs"


def merges(stage: Stage, loser: str, winner: str) -> str:
    stage.director.admin.merge("Contact", id_of(stage, winner), [id_of(stage, loser)])
    return f"an admin merges Contact {loser} into {winner}"


def deletes(stage: Stage, name: str) -> str:
    stage.director.admin.delete("Contact", id_of(stage, name))
    return f"an admin deletes Contact {name}"


def has_email(stage: Stage, name: str, email: str | None) -> str:
    stage.director.rep.update("Contact", id_of(stage, name), Email=email)
    return f"a rep sets the e-mail address of Contact {name} to {email}"


def passes(stage: Stage, minutes: float) -> str:
    stage.advance(minutes * 60)
    return f"{minutes} minutes pass"


def types_stop(stage: Stage, name: str, use: tuple[str, str]) -> str:
    row = next(
        each for each in stage.rows() if each.use == use and each.owner == id_of(stage, name)
    )
    stage.director.rep.update(ROW, row.id, Requested_Change__c=STOP)
    stage.pending.append(Asked(record_id=row.id, at=stage.now()))
    return f'a rep types "{STOP}" on the row {use[0]}/{use[1]} of Contact {name}'


def ticks_no_email(stage: Stage, name: str) -> str:
    stage.director.rep.update("Contact", id_of(stage, name), HasOptedOutOfEmail=True)
    ticked = Ticked(contact_id=id_of(stage, name), flag="HasOptedOutOfEmail", at=stage.now())
    stage.pending.append(ticked)
    return f"a rep ticks HasOptedOutOfEmail on Contact {name}"


def stops(stage: Stage, name: str, use: tuple[str, str] = EVERYTHING) -> str:
    record, at = stage.records()[id_of(stage, name)], stage.now()
    word = records.Word(
        subject_id=record.subject_id,
        verb=records.Verb.STOP,
        use=Use(purpose=PurposeKey(use[0]), channel=Channel(use[1])),
        happened_at=at,
        by="anna",
    )
    with stage.ledger.begin() as tx:
        records.record_event(tx, word, at=at, policy=stage.policy)
    words = f"Contact {name} stops {use[0]}/{use[1]}"
    no = No(words=words, told_at=at, purpose=use[0], channel=use[1])
    stage.oracle.tells(id_of(stage, name), no)
    return f"an operator records that {words}"


def agrees(
    stage: Stage, name: str, use: tuple[str, str], *, ago: timedelta, refused: str | None = None
) -> str:
    seen, record = stage.contacts()[id_of(stage, name)], stage.records()[id_of(stage, name)]
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
        appended = records.record_event(tx, word, at=at, policy=stage.policy)
    assert list(appended.refused.values()) == ([] if refused is None else [refused])
    operators.begins_anew(stage, record)
    yes = Yes(
        use=use,
        at=at - ago,
        address=address if use[1] in SCOPED else None,
        contacts=stage.contacts_of(record),
        lasts=OLDEST,
    )
    if refused is None:
        stage.oracle.says_yes(yes, direct=True)
    return f"an operator records a form of {ago} ago: Contact {name} says yes to {use[0]}/{use[1]}"


def gets_an_individual(stage: Stage, name: str) -> str:
    individual = stage.director.admin.create("Individual", LastName="Private")
    stage.director.admin.update("Contact", id_of(stage, name), IndividualId=individual)
    return f"Contact {name} gets a privacy record"


def wants_to_be_forgotten(stage: Stage, name: str) -> str:
    if stage.contacts()[id_of(stage, name)].individual is None:
        gets_an_individual(stage, name)
    individual = stage.contacts()[id_of(stage, name)].individual
    assert individual is not None
    stage.director.admin.update("Individual", individual, ShouldForget=True)
    wished = Wished(contact_id=id_of(stage, name), wish="ShouldForget", at=stage.now())
    stage.pending.append(wished)
    return f"Contact {name} wants to be forgotten"


def case_is_answered(stage: Stage) -> str | None:
    return reviewers.answers_a_case(stage, Act(name="answers_a_case", how=1))


def claims(stage: Stage, name: str, use: tuple[str, str]) -> str:
    row = next(
        each for each in stage.rows() if each.use == use and each.owner == id_of(stage, name)
    )
    stage.director.rep.update(ROW, row.id, Requested_Change__c=YES)
    return f'a rep types "{YES}" on the row {use[0]}/{use[1]} of Contact {name}'


def takes_back(stage: Stage, name: str, use: tuple[str, str] = MAIL) -> str:
    record, about = (
        stage.records()[id_of(stage, name)],
        Use(purpose=PurposeKey(use[0]), channel=Channel(use[1])),
    )
    with stage.ledger.begin() as tx:
        told = history.events_of(tx.connection, [record.subject_id])[record.subject_id]
        error = next(each.id for each in told if each.kind in STOPS and each.use == about)
        corrections.correct_stops(
            tx,
            [error],
            evidence_ref="error-3",
            by="anna",
            approved_by="bert",
            at=stage.now(),
            policy=stage.policy,
        )
    stage.oracle.forgives([id_of(stage, name)], [use])
    return f"two operators take back that Contact {name} stops {use[0]}/{use[1]}"


def brings_a_file(stage: Stage, name: str) -> str | None:
    known = sorted(stage.names).index(id_of(stage, name))
    return operators.imports(stage, Act(name="imports", who=known, what=3, how=3))


def brings_a_withdrawal(stage: Stage, name: str) -> str | None:
    known = sorted(stage.names).index(id_of(stage, name))
    return operators.imports(stage, Act(name="imports", who=known, what=2, how=1))


def brings_an_objection_by_address(stage: Stage, email: str) -> str | None:
    place = people.EMAILS.index(email)
    return operators.imports(stage, Act(name="imports", who=place, what=0, how=2))


def brings_a_stop_by_address(stage: Stage, email: str, use: tuple[str, str]) -> str | None:
    place, what = people.EMAILS.index(email), people.USES.index(use)
    return operators.imports(stage, Act(name="imports", who=place, what=what, how=0))


def undeletes(stage: Stage, name: str) -> str:
    stage.director.admin.undelete("Contact", id_of(stage, name))
    return f"an admin undeletes Contact {name}"


def proves(stage: Stage, name: str, use: tuple[str, str]) -> str:
    row = next(
        each for each in stage.rows() if each.use == use and each.owner == id_of(stage, name)
    )
    email, at = stage.contacts()[id_of(stage, name)].email, stage.now().replace(microsecond=0)
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
    yes = Yes(use=use, at=at, address=email, contacts={id_of(stage, name)}, lasts=OLDEST)
    stage.oracle.says_yes(yes, direct=False)
    return f"a rep types in a token of {email} on the row {use[0]}/{use[1]} of Contact {name}"


def a_new_text(stage: Stage) -> str:
    stage.use_bundle(stage.bundle.with_notice(stage.now(), material=True))
    return "a new policy is put in force: a new notice that says something else"


def few_edits_are_many(stage: Stage) -> str:
    stage.use_bundle(replace(stage.bundle, floor=3))
    return "a new policy is put in force: three edits are a mass change"


def loads_a_yes_on_every_row(stage: Stage) -> str:
    for table in ("Contact", ROW):
        stage.director.set_rule(table, "Result_Fields", active=False)
    for row in stage.rows():
        stage.director.admin.update(ROW, row.id, Consent_Status__c="Permitted")
    return "a loader sets the status of every row to Permitted"


def gives_invitations_up(stage: Stage) -> str:
    stage.use_bundle(replace(stage.bundle, events_retired=True))
    return "a new policy is put in force: invitations are given up, news follow them"


A_AND_B: tuple[Step, ...] = (
    partial(meets, email="ann@example.org", phone=SHARED_PHONE),
    partial(meets, email="ann@example.org", phone=SHARED_PHONE),
    runs,
)
