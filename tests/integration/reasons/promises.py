"""What a reason promises: who plays a scenario says what has to be true after it, and it is looked up on both sides."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from salesforce_bridge.ledger import views
from salesforce_bridge.ledger.history import events_of
from salesforce_bridge.ledger.views import SealedEntry
from salesforce_bridge.permissions.answers import Answer, Verdict
from salesforce_bridge.permissions.events import PermissionEvent
from salesforce_bridge.permissions.keys import ANY_PURPOSE, Channel, PurposeKey, SubjectId, Use
from salesforce_bridge.permissions.rights import due_at
from tests.integration.cycle.living import ROW
from tests.integration.reasons.scene import ALL_FLAGS, Scene
from tests.support.orgs import ROOT

CATALOGUE: Mapping[str, Mapping[str, str | None]] = json.loads(
    (ROOT / "tests" / "expected" / "reasons.json").read_text("utf-8")
)
Shown = tuple[str, str]  # a status, and the word of the light


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Whom a scenario is about, and what has to be true once the next cycle has run."""

    who: str
    use: Use
    row: Shown | None  # None: there is no row
    answer: str | None  # of the gates; None: the ledger knows no such Contact
    row_reason: str | None = None  # None: not asked
    contact: Shown | None = None  # None: not asked
    flags: frozenset[str] = frozenset()
    events: tuple[str, ...] = ()  # kinds that the history of the use gains, or of wider ones
    claims: tuple[str, ...] = ()  # reasons of claims that are set aside
    cases: tuple[str, ...] = ()  # kinds of rights cases that are opened
    link: str | None = "ACTIVE"
    beside: tuple[str, ...] = ()  # what else is decided about the same use in the same cycle
    after: Scene | None = None  # the scene, where it has changed
    restless: bool = False  # what is left to do cannot be done before somebody has acted
    unwritten: bool = (
        False  # Salesforce still shows what it did, because it refused to show another
    )
    then: Callable[[Scene], Iterable[str]] | None = None  # whatever else the reason promises


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A code, and how it comes about."""

    code: str
    situation: str
    play: Callable[[Scene], Told]

    @property
    def name(self) -> str:
        """The sentence it is."""
        return f"{self.situation}-{self.code}-{self.play.__name__}"


def broken_promises(scene: Scene, scenario: Scenario) -> tuple[str, ...]:
    """Play a scenario, let the bridge look, and say what is otherwise than it was told."""
    told = scenario.play(scene)
    scene = told.after or scene
    before = _Before.of(scene, told)
    scene.cycle()
    broken = [
        *_of_the_audit(scene, scenario, told, since=before.seq),
        *_of_the_ledger(scene, told, before),
        *_of_salesforce(scene, told),
        *_of_the_effect(scene, scenario, told, before),
        *_of_the_silence(scene, scenario, told, before),
        *(() if told.unwritten else more_than_is_lawful(scene)),
        *(told.then(scene) if told.then is not None else ()),
    ]
    if not (broken or told.restless):
        scene.settle()
        broken += (f"at rest: {each}" for each in _of_salesforce(scene, told))
        broken += (f"at rest: {each}" for each in more_than_is_lawful(scene))
        broken += (f"left to do: {each}" for each in scene.differences())
    return (*broken, *not_whole(scene))


def decisions_about(scene: Scene, who: str, use: Use, *, since: int) -> list[SealedEntry]:
    """What was decided about a Contact and a use after an entry of the audit."""
    return [
        each
        for each in entries(scene, since=since)
        if each.kind == "DECISION"
        and each.payload is not None
        and each.payload["contact_id"] == who
        and (each.header["purpose"], each.header["channel"]) == (use.purpose, use.channel)
    ]


def entries(scene: Scene, *, since: int) -> list[SealedEntry]:
    """What was sealed after an entry of the audit."""
    with scene.ledger.reading() as tx:
        found = views.tail(tx, count=max(1, tx.head().seq - since))
    return [each for each in found if each.seq > since]


def seq_of(scene: Scene) -> int:
    """Where the audit stands."""
    with scene.ledger.reading() as tx:
        return tx.head().seq


def not_whole(scene: Scene) -> Iterator[str]:
    """What is wrong with the audit, and whose permissions are not what their events come to."""
    with scene.ledger.reading() as tx:
        inspection = views.verify(tx)
        if not inspection.intact:
            yield f"the audit: {inspection}"
        yield from (
            f"folded otherwise: {each}" for each in views.refold(tx, policy=scene.world.policy)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """How things stood when the bridge began to look."""

    seq: int
    link: str | None
    answer: Answer | None
    events: frozenset[str]
    claims: frozenset[str]
    cases: frozenset[str]
    stamps: tuple[str, ...]  # of the rows of the use

    @classmethod
    def of(cls, scene: Scene, told: Told) -> "_Before":
        known = scene.known({told.who, *scene.cast.values()})
        found = known.get(told.who)
        people = {each.record.subject_id: each.record for each in known.values()}
        return cls(
            seq=seq_of(scene),
            link=None if found is None else found.link.state,
            answer=None if found is None else scene.answer_about(found, told.use),
            events=frozenset(each.id for each in _events(scene, people.keys())),
            claims=frozenset(each.id for whose in people.values() for each in whose.candidates),
            cases=frozenset(each.id for whose in people.values() for each in whose.cases),
            stamps=_stamps(scene, told),
        )


def _events(scene: Scene, people: Collection[SubjectId]) -> tuple[PermissionEvent, ...]:
    with scene.ledger.reading() as tx:
        told = events_of(tx.connection, people)
    return tuple(each for whose in told.values() for each in whose)


def _otherwise(what: str, found: object, told: object) -> Iterator[str]:
    if found != told:
        yield f"{what}: {found!r}, told {told!r}"


def _of_the_audit(scene: Scene, scenario: Scenario, told: Told, *, since: int) -> Iterator[str]:
    found = decisions_about(scene, told.who, told.use, since=since)
    reasons = Counter(each.header["reason"] for each in found)
    if reasons != Counter((scenario.code, *told.beside)):
        names = ("situation", "ledger_class", "reason")
        yield f"sealed: {[tuple(each.header[name] for name in names) for each in found]}"
    expected = CATALOGUE[scenario.code]
    for sealed in (each for each in found if each.header["reason"] == scenario.code):
        yield from _otherwise(
            "situation", sealed.header["situation"].split("_")[0], scenario.situation
        )
        for name in ("effect", "severity", "queue"):
            yield from _otherwise(name, sealed.header[name], expected[name])
        if sealed.payload is None or not sealed.payload["explanation"]:
            yield "the decision is not explained"


def _of_the_ledger(scene: Scene, told: Told, before: _Before) -> Iterator[str]:
    found = scene.known({told.who}).get(told.who)
    yield from _otherwise("link", None if found is None else found.link.state, told.link)
    if found is None:
        return
    record = found.record
    gained = [
        each.kind.value
        for each in _events(scene, [record.subject_id])
        if each.id not in before.events and each.use.purpose in (told.use.purpose, ANY_PURPOSE)
    ]
    yield from _otherwise("events", sorted(gained), sorted(told.events))
    claims = [each.reason for each in record.candidates if each.id not in before.claims]
    yield from _otherwise("claims", sorted(claims), sorted(told.claims))
    opened = [each for each in record.cases if each.id not in before.cases]
    for each in opened:
        yield from _otherwise("answer due", each.due_at, due_at(each.received_at, 1))
    cases = [each.kind.value for each in opened]
    yield from _otherwise("cases", sorted(cases), sorted(told.cases))


def _of_salesforce(scene: Scene, told: Told) -> Iterator[str]:
    rows = scene.rows_shown(told.who, told.use)
    shown = [(each["Consent_Status__c"], each["May_Contact__c"]) for each in rows]
    yield from _otherwise("row", shown, [] if told.row is None else [told.row])
    if told.row_reason is not None and rows:
        yield from _otherwise("reason of the row", rows[0]["Reason_Code__c"], told.row_reason)
    contact = scene.contact_shown(told.who)
    if told.contact is not None:
        status = (contact.get("Consent_Status__c"), contact.get("Contact_Permission__c"))
        yield from _otherwise("Contact", status, told.contact)
    if contact and not contact["IsDeleted"]:
        ticked = {name for name in ALL_FLAGS if contact[name]}
        yield from _otherwise("flags", ticked, set(told.flags))


def _of_the_effect(scene: Scene, scenario: Scenario, told: Told, before: _Before) -> Iterator[str]:
    if told.answer is None:
        return
    known = scene.known({told.who}).get(told.who)
    if known is None:
        yield "nobody has met them"
        return
    answer = scene.answer_about(known, told.use)
    yield from _otherwise("answer", answer.reason, told.answer)
    effect = CATALOGUE[scenario.code]["effect"]
    marketing = scene.answer_about(known, told.use, marketing=True)
    if effect == "RAISE" and answer.verdict is not Verdict.ALLOW:
        yield "nothing was permitted"
    if effect in ("DENY", "HOLD") and marketing.verdict is Verdict.ALLOW:
        yield "marketing is still allowed"
    if effect == "KEEP" and before.link == told.link and before.answer and not told.beside:
        yield from _otherwise("verdict", answer.verdict, before.answer.verdict)


def _stamps(scene: Scene, told: Told) -> tuple[str, ...]:
    return tuple(each["SystemModstamp"] for each in scene.rows_shown(told.who, told.use))


def _of_the_silence(scene: Scene, scenario: Scenario, told: Told, before: _Before) -> Iterator[str]:
    """A reason for which Salesforce gets nothing leaves the row of its use alone."""
    promised = (CATALOGUE[scenario.code]["salesforce"] or "").startswith("none")
    if promised and not told.beside:
        yield from _otherwise("written", set(_stamps(scene, told)) - set(before.stamps), set())


def more_than_is_lawful(scene: Scene) -> Iterator[str]:
    """Rows that show more than the ledger allows."""
    rows = scene.director.query(
        f"SELECT Contact__c, Purpose__c, Channel__c, May_Contact__c FROM {ROW}"
        " WHERE Consent_Status__c = 'Permitted'"
    )
    known = scene.known({row["Contact__c"] for row in rows if row["Contact__c"] is not None})
    for row in rows:
        use = Use(purpose=PurposeKey(row["Purpose__c"]), channel=Channel(row["Channel__c"]))
        who = known.get(row["Contact__c"])
        if who is None and row["May_Contact__c"] == "OK":
            yield f"shown as permitted: {row}, and nobody knows whom"
        elif who is not None and scene.answer_about(who, use).verdict is not Verdict.ALLOW:
            yield f"shown as permitted: {row}, and yet {scene.answer_about(who, use).reason}"


def reaches(code: str, situation: str) -> Callable[[Callable[[Scene], Told]], Scenario]:
    """Mark a function as a scenario that comes to a reason of the table."""

    def marked(play: Callable[[Scene], Told]) -> Scenario:
        return Scenario(code=code, situation=situation, play=play)

    return marked


def scenarios_in(names: Mapping[str, object]) -> Iterator[Scenario]:
    """All scenarios of a module."""
    return (each for each in names.values() if isinstance(each, Scenario))
