"""What just happens: time passes, the policy changes, calls fail, the bridge is killed; and cycles, between all that."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from salesforce_bridge.errors import BridgeError
from tests.histories.bundles import Bundle
from tests.histories.checks import Broken, look, stays_calm
from tests.histories.meeting import STOP, Asked, Ticked
from tests.histories.oracle import FLAGS
from tests.histories.scripted import Act, Part
from tests.histories.stage import ROW, Killed, Stage

HOUR, DAY = 3_600.0, 86_400.0
_JUMPS = (0.3 * HOUR, 7 * HOUR, DAY, 8 * DAY, 31 * DAY, 75 * DAY, 200 * DAY, 400 * DAY)
_NAMES = ("18 minutes", "7 hours", "a day", "8 days", "31 days", "75 days", "200 days", "400 days")


def cycles(stage: Stage, _: Act) -> str | None:
    """The bridge runs, and what must hold afterwards is checked."""
    look(stage)
    return "the bridge runs"


def pauses(stage: Stage, _: Act) -> str | None:
    """The bridge runs while it may write stops only."""
    look(stage, paused=True)
    return "the bridge runs, paused"


def jumps(stage: Stage, act: Act) -> str | None:
    """Time passes."""
    # Seldom years: everything would always have lapsed.
    place = (act.who % len(_JUMPS)) if act.what % 4 == 0 else act.who % 4
    stage.advance(_JUMPS[place] + act.how % 1_000)
    return f"{_NAMES[place]} pass"


def sleeps(stage: Stage, act: Act) -> str | None:
    """Salesforce cannot be reached for a while; if nothing became due meanwhile, nothing is written after it."""
    look(stage)
    length = _JUMPS[act.who % 6]
    while length > 60 and _becomes_due(stage, length):
        length /= 3
    if length <= 60 or not stage.calm:
        return "the bridge runs"
    before = stage.revision()
    stage.director.fault(status=503, error_code="SERVER_UNAVAILABLE")
    try:
        for _ in range(3):
            stage.advance(length / 3)
            try:
                stage.cycle(after=0)
            except BridgeError:
                continue
            raise Broken("outage", "a cycle came through although Salesforce was not there")
    finally:
        stage.director.clear_faults()
    stays_calm(stage, before, what=f"an outage of {length:.0f} s", law="outage")
    return f"the bridge runs; Salesforce is away for {length / HOUR:.1f} hours, and comes back"


def _becomes_due(stage: Stage, seconds: float) -> bool:
    at = stage.now()
    with stage.ledger.reading() as tx:
        mark = tx.bookmark(stage.world.org_id)
        since = mark.clock if mark is not None else at
        return bool(tx.due(since, at + timedelta(seconds=seconds + 60)))


def is_refused(stage: Stage, act: Act) -> str | None:
    """Some records are locked while the bridge writes."""
    every = 1 + act.who % 3
    code = ("UNABLE_TO_LOCK_ROW", "FIELD_CUSTOM_VALIDATION_EXCEPTION")[act.what % 2]
    stage.director.fault(
        rows={"every": every, "status_code": code, "message": "not now", "match": "Consent_Status"}
    )
    return _through_trouble(stage, f"every {every}. write is refused as {code}")


def is_cut(stage: Stage, act: Act) -> str | None:
    """Connections are cut before or after the work was done."""
    moment = ("before", "after")[act.who % 2]
    stage.director.fault(
        body='Consent_Status__c"', path="composite", drop=moment, count=1 + act.what % 3
    )
    return _through_trouble(stage, f"the connection is cut {moment} a write")


def is_unavailable(stage: Stage, act: Act) -> str | None:
    """Salesforce goes away in the middle of a cycle."""
    stage.director.fault(path="/services/data/", every=2 + act.who % 3, status=503)
    return _through_trouble(stage, "Salesforce answers now and then only")


def is_killed(stage: Stage, act: Act) -> str | None:
    """The bridge is killed somewhere in a cycle, and started again."""
    stage.fuse.looks, stage.oracle.unsure = act.who % 12, True
    try:
        stage.cycle()
    except Killed:
        words = f"the bridge is killed at its {act.who % 12}. look at the clock, and started again"
    else:
        words = "the bridge runs, and is started again"
    stage.restart()
    stage.calm = False
    return words


def is_overtaken(stage: Stage, act: Act) -> str | None:
    """A rep types while the bridge runs, between two of its calls."""
    rows = stage.rows()
    row = act.one(rows, act.who)
    if row is None:
        return None
    ticked = act.what % 2 == 0 and row.contact_id is not None
    flag = act.one(tuple(FLAGS), act.how) or ""
    if ticked and flag in stage.contacts()[row.contact_id or ""].flags:
        return None  # nothing changes, so nobody can know that it was ticked
    if not ticked and row.request == STOP:
        return None  # as little
    deed = (
        {"object": "Contact", "id": row.contact_id, "fields": {flag: True}}
        if ticked
        else {"object": ROW, "id": row.id, "fields": {"Requested_Change__c": STOP}}
    )
    script = stage.director.script(
        acts=[{"as": "rep", "do": "update", **deed}], call=1 + act.how % 4
    )
    words = _through_trouble(
        stage, f"meanwhile a rep says no on {'a Contact' if ticked else 'a row'}"
    )
    played = stage.director.outcomes(script)
    stage.director.clear_scripts()
    if played is None or played[0] is not None:
        return "the bridge runs"
    # Which calls come before it is seen nobody can say, so it counts for the cycle after this one.
    at, stage.oracle.unsure = stage.now(), True
    if ticked:
        assert row.contact_id is not None
        no = Ticked(contact_id=row.contact_id, flag=flag, at=at)
        stage.pending.append(no)
    else:
        stage.pending.append(Asked(record_id=row.id, at=at))
    return words


def _through_trouble(stage: Stage, words: str) -> str:
    try:
        look(stage, troubled=True)
    except BridgeError as error:
        words = f"{words} ({type(error).__name__})"
    finally:
        stage.director.clear_faults()
    stage.calm = False
    return f"the bridge runs; {words}"


def _changes(name: str, change: Callable[[Stage], Bundle | None], words: str) -> tuple[str, Part]:
    def changed(stage: Stage, _: Act) -> str | None:
        bundle = change(stage)
        if bundle is None or bundle == stage.bundle:
            return None
        stage.use_bundle(bundle)
        return f"a new policy is put in force: {words}"

    return name, Part(weight=1, play=changed)


def _with_notice(stage: Stage, *, material: bool) -> Bundle | None:
    """Publish another text, at most one a minute."""
    last = stage.bundle.notices[-1].published_at if stage.bundle.notices else None
    if last is not None and stage.now() - last < timedelta(minutes=1):
        return None
    return stage.bundle.with_notice(stage.now(), material=material)


_POLICIES = (
    _changes(
        "publishes",
        lambda stage: _with_notice(stage, material=False),
        "a new notice, with nothing material in it",
    ),
    _changes(
        "publishes_something_else",
        lambda stage: _with_notice(stage, material=True),
        "a new notice that says something else",
    ),
    _changes(
        "retires",
        lambda stage: replace(stage.bundle, events_retired=True),
        "invitations are given up, news follow them",
    ),
    _changes(
        "reassigns",
        lambda stage: replace(
            stage.bundle, research_by_consent=not stage.bundle.research_by_consent
        ),
        "research has another basis",
    ),
    _changes(
        "grows_stricter",
        lambda stage: replace(stage.bundle, strict_uk=True),
        "consents last half a year in the UK",
    ),
    _changes(
        "shortens",
        lambda stage: replace(stage.bundle, max_age_days=365),
        "consents to news last a year",
    ),
    _changes(
        "limits",
        lambda stage: replace(stage.bundle, tight_limits=not stage.bundle.tight_limits),
        "other limits for one plan",
    ),
    _changes(
        "watches",
        lambda stage: replace(stage.bundle, floor=3 if stage.bundle.floor == 50 else 50),
        "another number of edits is a mass change",
    ),
)

PARTS: Mapping[str, Part] = {
    "cycles": Part(weight=45, play=cycles),
    "pauses": Part(weight=2, play=pauses),
    "jumps": Part(weight=12, play=jumps),
    "sleeps": Part(weight=4, play=sleeps),
    "is_refused": Part(weight=3, play=is_refused),
    "is_cut": Part(weight=3, play=is_cut),
    "is_unavailable": Part(weight=2, play=is_unavailable),
    "is_killed": Part(weight=4, play=is_killed),
    "is_overtaken": Part(weight=3, play=is_overtaken),
    **dict(_POLICIES),
}
