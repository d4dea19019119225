"""Whatever is told, by whom and in how many steps: folding all events again gives what is stored."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salesforce_bridge.ledger import history, projection
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.fold import NOTHING, FoldedSubject, fold
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, Channel, PurposeKey, Use
from tests.integration.ledger.steps import BY_HAND, POLICY, open_cycle, record_in
from tests.support.facts import NOON, a_person, a_plan, an_event, subject_id

_PEOPLE = count(1000)
USES = tuple(
    Use(purpose=PurposeKey(purpose), channel=Channel(channel))
    for purpose in ("direct_marketing", "service_messages", ANY_PURPOSE)
    for channel in ("EMAIL", "POST", ANY_CHANNEL)
)
EVENTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(EventKind),
        "use": st.sampled_from(USES),
        "basis": st.sampled_from([LawfulBasis.CONSENT, LawfulBasis.CONTRACT]),
        "actor": st.sampled_from(ActorKind),
        "trust": st.sampled_from(Trust),
        "grade": st.sampled_from(Grade),
        "marketing": st.booleans(),
        "own": st.booleans(),
        # Finer than what is kept: what is folded must be what will be read again.
        "happened_at": st.integers(-(10**12), 10**6).map(
            lambda micros: NOON + timedelta(microseconds=micros)
        ),
        "effective_to": st.none()
        | st.integers(0, 10**12).map(lambda micros: NOON + timedelta(microseconds=micros)),
        "notice_id": st.sampled_from([None, "news-1", "unheard of"]),
        "reason": st.sampled_from(["ONE", "OTHER"]),
    }
)
TRANSACTIONS = st.lists(
    st.tuples(st.booleans(), st.lists(st.tuples(st.integers(0, 1), EVENTS), max_size=4)),
    min_size=1,
    max_size=5,
)
Told = Sequence[tuple[bool, Sequence[tuple[int, dict[str, object]]]]]


def tell(ledger: Ledger, people: Sequence[int], told: Told) -> None:
    cycle_id = open_cycle(ledger)
    with ledger.begin() as tx:
        record_in(tx, a_plan(subjects=tuple(map(a_person, people))), cycle_id)
    for in_a_cycle, parts in told:
        events: tuple[PermissionEvent, ...] = tuple(
            an_event(
                EventKind(str(changes["kind"])),
                subject=people[who],
                id=str(uuid4()),
                **{name: value for name, value in changes.items() if name != "kind"},
            )
            for who, changes in parts
        )
        with ledger.begin() as tx:
            if in_a_cycle:
                record_in(tx, a_plan(events=events), cycle_id)
            else:
                tx.append_deed(BY_HAND, at=NOON, policy=POLICY, events=events)


@settings(
    max_examples=400 if settings.get_current_profile_name() == "laws" else 15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(told=TRANSACTIONS)
def test_folding_all_events_again_gives_the_stored_projection(ledger: Ledger, told: Told) -> None:
    people = [next(_PEOPLE), next(_PEOPLE)]
    tell(ledger, people, told)
    ids = [subject_id(number) for number in people]
    with ledger.reading() as tx:
        stored = projection.stored(tx.connection, ids)
        events = history.events_of(tx.connection, ids)
    for one in ids:
        again = fold(events.get(one, ()), policy=POLICY)
        held: FoldedSubject = stored.get(one, NOTHING)
        assert held.permissions == again.permissions
        assert held.stops == again.stops
        assert held.hold == again.hold
