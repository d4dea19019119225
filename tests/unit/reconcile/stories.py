"""Small stories: what two people told the ledger before, and what happens to their records then.

Every history is played with every happening, and all that the bridge plans is told in one text, to the letter.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import (
    ExpiryRule,
    Involvement,
    Policy,
    PurposeStatus,
    SurgeRule,
)
from salesforce_bridge.permissions.conditions import Condition, ConditionKind
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import PurposeKey, Use
from salesforce_bridge.permissions.rights import CaseKind, RightsCase
from salesforce_bridge.permissions.suppressions import Scope
from salesforce_bridge.reconcile.facts import Individual, LeadFlags, RefusedWrite
from salesforce_bridge.reconcile.intent import Decision, Write
from tests.unit.reconcile.sightings import POLICY, a_proof, a_suppression
from tests.unit.reconcile.worlds import (
    EVERYTHING,
    NEWS_BY_CALL,
    NEWS_BY_EMAIL,
    NEWS_BY_POST,
    NOON,
    RESEARCH,
    SERVICE,
    World,
    a_contact,
    a_point,
    a_use,
    contact_id,
    subject_id,
)

Step = Callable[[World], None]
ANN, BEN, EVE = contact_id(1), contact_id(2), contact_id(3)
DAY = timedelta(days=1)
NEWS = PurposeKey("direct_marketing")
STOP, OBJECTS, GRANT = "Asked us to stop", "Objects", "Gave permission"
EVENT = EventKind


def ago(days: float) -> datetime:
    return NOON - days * DAY


def _changed(policy: Policy, key: PurposeKey, **said: Any) -> Policy:
    purpose = replace(policy.purposes[key], **said)
    return replace(policy, purposes={**policy.purposes, key: purpose})


_AGED = ExpiryRule(
    jurisdiction="*", max_age=100 * DAY, renew_before=(30 * DAY, 7 * DAY), grace=30 * DAY
)
BY_CONSENT = _changed(
    _changed(POLICY, NEWS, expiry=(_AGED,), max_age=None, involves=(Involvement.PROFILING,)),
    RESEARCH.purpose,
    involves=(Involvement.TRACKING, Involvement.PROFILING),
)
# Marketing that rests on an interest: people object to it instead of taking a consent back.
BY_INTEREST = replace(
    _changed(
        BY_CONSENT,
        NEWS,
        assignments=POLICY.purposes[RESEARCH.purpose].assignments,
        assessment="product_research",
    ),
    digest="by-interest",
)
POLICIES: Mapping[str, Policy] = {"consent": BY_CONSENT, "interest": BY_INTEREST}


def _bundle(name: str, policy: Policy) -> Policy:
    return replace(policy, digest=f"{policy.digest}-{name}", version=name)


def _noticed(policy: Policy, *, material: bool) -> Policy:
    agreed = policy.notices["consent-en-1"]
    newer = replace(
        agreed,
        id="consent-en-2",
        version=2,
        published_at=ago(1),
        supersedes=agreed.id,
        material=material,
        purposes=(*agreed.purposes, RESEARCH.purpose, SERVICE.purpose),
    )
    return _bundle("noticed", replace(policy, notices={**policy.notices, newer.id: newer}))


def _based(policy: Policy, key: PurposeKey, basis: LawfulBasis) -> Policy:
    assignments = tuple(replace(one, basis=basis) for one in policy.purposes[key].assignments)
    return _bundle("based", _changed(policy, key, assignments=assignments))


def _told(*told: tuple[EventKind, Use, float], **said: Any) -> Step:
    def step(world: World) -> None:
        for kind, use, days in told:
            world.tell(kind, use, at=ago(days), **said)

    return step


def _known(**said: Any) -> Step:
    def step(world: World) -> None:
        whose = subject_id(1)
        world.records[whose] = replace(world.records[whose], **said)

    return step


def _erased(world: World) -> None:
    _known(erased=True, permissions={}, points=(), candidates=(), stops=())(world)
    world.suppressions = (a_suppression(since=ago(9)),)


def _fact(kind: ConditionKind, **said: Any) -> Step:
    def step(world: World) -> None:
        whose = subject_id(1)
        fact = Condition(
            id=f"fact-{kind}", subject_id=whose, kind=kind, ref="told", valid_from=ago(30)
        )
        fact = replace(fact, **said)
        record = world.records[whose]
        kept = tuple(one for one in record.conditions if one.kind is not kind)
        world.records[whose] = replace(record, conditions=(*kept, fact))

    return step


def _asked_before(world: World) -> None:
    case = RightsCase(
        id="case-1",
        kind=CaseKind.ERASURE,
        subject_id=subject_id(1),
        received_at=ago(25),
        due_at=NOON + 5 * DAY,
    )
    _known(cases=(case, replace(case, id="case-2", kind=CaseKind.ACCESS, due_at=ago(1))))(world)


def _claimed(world: World) -> None:
    world.edit_row(world.row_of(ANN), request=GRANT, request_evidence="letter 7")
    world.cycle()


def _several(*steps: Step) -> Step:
    def step(world: World) -> None:
        for each in steps:
            each(world)

    return step


_YES = _told(
    (EVENT.GRANT, NEWS_BY_EMAIL, 40),
    (EVENT.GRANT, NEWS_BY_POST, 20),
    (EVENT.ESTABLISH, RESEARCH, 40),
    (EVENT.ESTABLISH, SERVICE, 40),
)
HISTORIES: Mapping[str, Step] = {
    "nothing": _told(),
    "a yes": _YES,
    "a no": _told((EVENT.WITHDRAW, NEWS_BY_EMAIL, 9), (EVENT.REFUSE, NEWS_BY_POST, 8)),
    "a yes and a no": _several(_YES, _told((EVENT.WITHDRAW, NEWS_BY_EMAIL, 9))),
    "a no carried over": _told(
        (EVENT.WITHDRAW, NEWS_BY_EMAIL, 9), (EVENT.STOP_MARKETING, EVERYTHING, 9), own=False
    ),
    "a no lifted": _several(
        _told((EVENT.STOP_MARKETING, EVERYTHING, 30)), _told((EVENT.GRANT, NEWS_BY_EMAIL, 20))
    ),
    "all marketing stopped": _several(_YES, _told((EVENT.STOP_MARKETING, EVERYTHING, 9))),
    "a channel stopped": _told((EVENT.STOP_CHANNEL, a_use("*", "LIVE_CALL"), 9)),
    "everything stopped": _several(_YES, _told((EVENT.STOP_ALL, EVERYTHING, 9))),
    "an end": _told((EVENT.GRANT, NEWS_BY_EMAIL, 40), (EVENT.REVOKE, NEWS_BY_EMAIL, 9)),
    "a question": _told((EVENT.REQUEST, NEWS_BY_EMAIL, 9)),
    "a challenge": _told((EVENT.ESTABLISH, RESEARCH, 40), (EVENT.OBJECT_GROUNDS, RESEARCH, 9)),
    "an objection": _told(
        (EVENT.ESTABLISH, RESEARCH, 40),
        (EVENT.OBJECT_GROUNDS, RESEARCH, 9),
        (EVENT.UPHOLD, RESEARCH, 8),
    ),
    "a hold": _several(_YES, _told((EVENT.HOLD, NEWS_BY_EMAIL, 9), (EVENT.HOLD, EVERYTHING, 9))),
    "a restriction": _several(_YES, _fact(ConditionKind.RESTRICTION)),
    "a contract that ends": _several(_YES, _fact(ConditionKind.CONTRACT, valid_to=NOON + 20 * DAY)),
    "a suppression": _several(
        _YES,
        lambda world: setattr(
            world, "suppressions", (a_suppression(after_erasure=False, scope=Scope.ALL),)
        ),
    ),
    "an erasure": _erased,
    "cases": _asked_before,
    "a claim": _claimed,
    "a move": _several(_YES, _known(former_jurisdiction="DE", moved_at=ago(3))),
}


def _row(use: Use = NEWS_BY_EMAIL, **said: Any) -> Step:
    return lambda world: world.edit_row(world.row_of(ANN, use), **said)


def _new_row(use: Use, request: str) -> Step:
    def step(world: World) -> None:
        world.add_row(use=use, request=request)

    return step


def _contact(**said: Any) -> Step:
    return lambda world: world.edit(ANN, **said)


def _rights(*flags: str) -> Step:
    claimed: dict[str, Any] = dict.fromkeys(flags, True)
    return _contact(individual=Individual(individual_id="0PK000000000001AAA", **claimed))


def _proof(days: float, **said: Any) -> Step:
    proof = a_proof(happened_at=ago(days), **said)
    return _row(request=GRANT, request_evidence="token:token-1", proof=proof)


def _adopted(change: Callable[[Policy], Policy]) -> Step:
    return lambda world: world.adopt(change(world.policy))


def _later(days: float) -> Step:
    def step(world: World) -> None:
        world.at += days * DAY

    return step


def _stranger(**said: Any) -> Step:
    return lambda world: world.contacts.update({EVE: a_contact(3, **said)})


def _newcomers(world: World) -> None:
    """Several people of whom nobody has heard, of a few places; one of them says something."""
    for number, country in enumerate(("United Kingdom", "France", None, "France", None, "?"), 3):
        world.contacts[contact_id(number)] = a_contact(
            number, country=country, modstamp=ago(number), modified_by=f"0050000000000{number}1AAA"
        )
    world.edit(contact_id(4), do_not_call=True)
    world.edit(contact_id(7), points=())


def _forgotten(world: World) -> None:
    """The ledger was lost: what a bridge wrote is there, and nobody knows of it."""
    world.contact_mirrors, world.row_mirrors, world.row_owners = {}, {}, {}
    world.links, world.records, world.told = {}, {}, []
    world.edit_row(world.row_of(ANN, NEWS_BY_POST), request=GRANT, request_evidence="letter 7")


def _filled_in(world: World) -> None:
    """Somebody filled in results on the records of a person of whom nobody has heard."""
    world.contacts[EVE] = a_contact(3)
    world.edit(EVE, consent_status="Asked", reason="They asked us to wait.", valid_until=ago(-30))
    world.add_row(of=3, use=NEWS_BY_EMAIL)
    world.add_row(of=3, use=NEWS_BY_POST, consent_status="Limited", notice_version="3")
    world.add_row(of=3, use=NEWS_BY_CALL, evidence_ref="call 7", request="a word unheard of")


def _orphaned(world: World) -> None:
    world.add_row(of=None, use=NEWS_BY_EMAIL)
    world.add_row(of=None, use=NEWS_BY_POST, request=STOP)


def _ben_says(*told: tuple[EventKind, Use, float], **said: Any) -> Step:
    def step(world: World) -> None:
        for kind, use, days in told:
            world.tell(kind, use, subject=2, at=ago(days), **said)

    return step


_BENS = _ben_says(
    (EVENT.GRANT, NEWS_BY_EMAIL, 15),
    (EVENT.WITHDRAW, NEWS_BY_POST, 15),
    (EVENT.STOP_CHANNEL, a_use("*", "LIVE_CALL"), 15),
    (EVENT.ESTABLISH, RESEARCH, 15),
    (EVENT.OBJECT_GROUNDS, RESEARCH, 14),
    (EVENT.HOLD, NEWS_BY_EMAIL, 3),
)
_BENS_YES = _ben_says(
    (EVENT.GRANT, NEWS_BY_EMAIL, 1), (EVENT.GRANT, NEWS_BY_POST, 1), (EVENT.ESTABLISH, SERVICE, 1)
)


def _merged_back(world: World) -> None:
    world.merge(ANN, BEN)
    world.cycle()
    world.tell(EVENT.WITHDRAW, NEWS_BY_POST, subject=2, at=world.at)
    world.edit(ANN, deleted=False, master_id=None)


def _deleted_and_back(world: World) -> None:
    world.delete(ANN)
    world.cycle()
    world.edit(ANN, deleted=False)


def _reparented(world: World) -> None:
    world.edit_row(world.row_of(ANN), contact_id=BEN)


def _doubled(world: World) -> None:
    row = world.rows[world.row_of(ANN)]
    world.add_row(use=NEWS_BY_EMAIL, ledger_key=row.fields.ledger_key)


def _surge(world: World) -> None:
    world.policy = replace(world.policy, surge=SurgeRule(floor=2, share=0.0, ceiling=0))
    for use in (NEWS_BY_EMAIL, NEWS_BY_POST):
        world.edit_row(world.row_of(ANN, use), request=GRANT)
    world.edit_row(world.row_of(ANN, NEWS_BY_CALL), request=STOP)


def _refused(*, stop: bool) -> Step:
    def step(world: World) -> None:
        told = RefusedWrite(
            target="Permission__c", use=NEWS_BY_EMAIL, code="ENTITY_IS_LOCKED", stop=stop
        )
        world.refused = {ANN: (told,)}

    return step


HAPPENINGS: Mapping[str, Step] = {
    "nothing happens": lambda _world: None,
    "a stop on a row": _row(request=STOP),
    "a stop on a letter's row": _row(NEWS_BY_POST, request=STOP, request_note="ab" * 32),
    "an objection on a row": _row(request=OBJECTS),
    "an objection to a service": _new_row(SERVICE, OBJECTS),
    "an objection to research": _new_row(RESEARCH, OBJECTS),
    "a stop of research": _new_row(RESEARCH, STOP),
    "a bare claim": _row(request=GRANT),
    "an attested claim": _row(request=GRANT, request_evidence="letter 7"),
    "a proof": _proof(2),
    "an old proof": _proof(50),
    "a weak proof": _proof(2, kind="noted"),
    "a proof of another use": _proof(2, use=NEWS_BY_POST),
    "a proof from the future": _proof(-2),
    "a status typed": _row(consent_status="Permitted"),
    "a stop typed": _row(consent_status="Stopped"),
    "a question typed": _row(consent_status="Asked"),
    "a status blanked": _row(consent_status=None),
    "details typed": _row(lawful_basis="Contract", evidence_ref="x", effective_to=ago(-900)),
    "a status typed on the Contact": lambda world: world.edit(ANN, consent_status="Permitted"),
    "a stop typed on the Contact": lambda world: world.edit(ANN, consent_status="Stopped"),
    "a flag for e-mail": _contact(opted_out_of_email=True),
    "flags for calls and fax": _contact(do_not_call=True, opted_out_of_fax=True),
    "a flag taken away": _several(
        _contact(do_not_call=True), lambda world: world.settle(), _contact(do_not_call=False)
    ),
    "everything to be forgotten": _rights("should_forget"),
    "no processing": _rights("opted_out_processing"),
    "no solicitation": _rights("opted_out_solicit"),
    "no profiling": _rights("opted_out_profiling", "opted_out_tracking"),
    "no place tracked": _rights("opted_out_geo_tracking", "wants_a_copy"),
    "an address changed": _contact(points=(a_point("new@example.org"),)),
    "an address shared": _several(
        _BENS, lambda world: world.edit(BEN, points=world.contacts[ANN].points)
    ),
    "an address of somebody else": _several(
        _BENS, lambda world: world.edit(ANN, points=world.contacts[BEN].points)
    ),
    "another country": _contact(country="Germany"),
    "no country": _contact(country=None),
    "a stranger": _stranger(),
    "a stranger with the address": _stranger(points=a_contact(1).points),
    "a stranger who said no": _stranger(
        points=a_contact(1).points, do_not_call=True, country="France"
    ),
    "a stranger who was a lead": _stranger(
        lead=LeadFlags(lead_id="00Q000000000001AAA", opted_out_of_email=True)
    ),
    "newcomers": _newcomers,
    "a lost ledger": _forgotten,
    "results filled in": _filled_in,
    "orphaned rows": _orphaned,
    "a deletion": lambda world: world.delete(ANN),
    "a deletion and a return": _deleted_and_back,
    "a purge": lambda world: world.purge(ANN),
    "a merge into Ben": _several(_BENS, lambda world: world.merge(ANN, BEN)),
    "a merge of Ben": _several(_BENS, lambda world: world.merge(BEN, ANN)),
    "a merge into Ben who said yes": _several(_BENS_YES, lambda world: world.merge(ANN, BEN)),
    "a merge of Ben who said yes": _several(_BENS_YES, lambda world: world.merge(BEN, ANN)),
    "a merge into a deleted Ben": _several(
        _BENS_YES, lambda world: world.merge(ANN, BEN), lambda world: world.delete(BEN)
    ),
    "a merge taken back": _several(_BENS, _merged_back),
    "a row deleted": _row(deleted=True),
    "a row doubled": _doubled,
    "a row moved": _reparented,
    "a row misnamed": _row(purpose="unheard_of"),
    "a mass change": _surge,
    "a retired purpose": _adopted(
        lambda policy: _bundle("retired", _changed(policy, NEWS, status=PurposeStatus.RETIRED))
    ),
    "a purpose with a successor": _adopted(
        lambda policy: _bundle(
            "followed",
            _changed(policy, NEWS, status=PurposeStatus.RETIRED, successor=RESEARCH.purpose),
        )
    ),
    "a research that is followed": _adopted(
        lambda policy: _bundle(
            "followed",
            _changed(policy, RESEARCH.purpose, status=PurposeStatus.RETIRED, successor=NEWS),
        )
    ),
    "a notice that matters": _adopted(lambda policy: _noticed(policy, material=True)),
    "a notice that does not": _adopted(lambda policy: _noticed(policy, material=False)),
    "another basis": _adopted(lambda policy: _based(policy, NEWS, LawfulBasis.PUBLIC_TASK)),
    "another basis of research": _adopted(
        lambda policy: _based(policy, RESEARCH.purpose, LawfulBasis.CONSENT)
    ),
    "three weeks": _later(21),
    "a month": _later(31),
    "two months and more": _later(65),
    "two years": _later(730),
    "a write not taken": _refused(stop=False),
    "a stop not taken": _refused(stop=True),
}


def tellings(policy: str, history: str, happening: str) -> tuple[str, ...]:
    """Play one story and tell all that was planned in it, plan by plan."""
    world = World(policy=POLICIES[policy])
    world.meet(1)
    world.meet(2)
    HISTORIES[history](world)
    plans = [world.cycle(), world.cycle()]
    HAPPENINGS[happening](world)
    plans += [world.cycle(), world.cycle()]
    return tuple(
        orjson.dumps(each, option=orjson.OPT_SORT_KEYS, default=_told_so).decode() for each in plans
    )


def _told_so(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Decision | Write | Use | ContactPoint):
        return value._asdict()
    if isinstance(value, Grade | Trust):
        return value.name
    raise TypeError(type(value))
