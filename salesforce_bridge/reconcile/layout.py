"""Laying out a dossier: whose each Contact is, and which addresses and places people have now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.keys import OrgId, SubjectId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.suppressions import Suppression
from salesforce_bridge.reconcile.bench import Bench, is_gone
from salesforce_bridge.reconcile.dossiers import addresses_of
from salesforce_bridge.reconcile.facts import (
    LIVE_LINKS,
    Case,
    ContactSnapshot,
    Dossier,
    HeldPoint,
    SubjectRecord,
)
from salesforce_bridge.reconcile.identity import (
    CONSUMER,
    UNKNOWN_JURISDICTION,
    jurisdiction_of,
    new_subject_id,
    subject_for,
)
from salesforce_bridge.reconcile.intent import CLOSED_CIRCUIT, Circuit
from salesforce_bridge.reconcile.policy_changes import has_moved
from salesforce_bridge.reconcile.rows import rows_at_home, uses_told_by_rows
from salesforce_bridge.reconcile.sharing import is_freer

_NO_POINTS: frozenset[ContactPoint] = frozenset()
_NO_POLICIES: Mapping[str, Policy] = MappingProxyType({})


def lay_out(
    dossier: Dossier,
    *,
    org_id: OrgId,
    policy: Policy,
    at: datetime,
    earlier: Mapping[str, Policy] = _NO_POLICIES,
    circuit: Circuit = CLOSED_CIRCUIT,
) -> Bench:
    """Put a dossier on the bench: say whose each Contact is, and note the addresses they have now."""
    cases = {case.contact_id: case for case in dossier.cases}
    alive = frozenset(case.contact_id for case in dossier.cases if not is_gone(case))
    bench = Bench(
        org_id=org_id,
        policy=policy,
        at=at,
        cases=cases,
        records={record.subject_id: record for record in dossier.subjects},
        alive=alive,
        rows=rows_at_home(dossier.cases, alive=alive, policy=policy),
        about=uses_told_by_rows(dossier.cases, policy=policy),
        earlier=earlier,
        circuit=circuit,
        suppressions=dossier.suppressions,
    )
    _meet_all(bench)
    _note_addresses(bench)
    if len(alive) < len(cases):
        _note_last_addresses(bench)
    if bench.suppressions or any(record.suppressions for record in bench.records.values()):
        _note_suppressions(bench)
    return bench


def _meet_all(bench: Bench) -> None:
    if len(bench.cases) > 1 or not _meet_again(bench):
        _meet_one_another(bench)


def _meet_again(bench: Bench) -> bool:
    """Most people have one Contact and are known, so nobody has to look for who they are."""
    for contact_id, case in bench.cases.items():
        if case.link is None or case.link.subject_id not in bench.records:
            return False
        bench.owners[contact_id] = case.link.subject_id
    return True


def _meet_one_another(bench: Bench) -> None:
    at_home = {
        link.subject_id
        for record in bench.records.values()
        for link in record.links
        if link.state in LIVE_LINKS and not is_gone(bench.cases.get(link.contact_id))
    }
    holders: dict[str, set[SubjectId]] = defaultdict(set)
    for record in bench.records.values():
        for held in record.points:
            holders[held.point.hmac].add(record.subject_id)
    # The gone come first: a Contact deleted and created again between two looks is the same person.
    for case in sorted(bench.cases.values(), key=lambda each: (not is_gone(each), each.contact_id)):
        subject_id = subject_for(case, holders, at_home=at_home, org_id=bench.org_id)
        taken_for = bench.records.get(subject_id) if case.link is None else None
        if taken_for is not None and is_freer(bench, taken_for, tuple(addresses_of(case))):
            subject_id = new_subject_id(case.contact_id, org_id=bench.org_id)
        bench.owners[case.contact_id] = subject_id
        if subject_id not in bench.records:
            bench.met.add(subject_id)
            bench.records[subject_id] = _stranger(subject_id, case, bench.policy)
        if not is_gone(case):
            at_home.add(subject_id)
        for point in addresses_of(case):
            holders[point.hmac].add(subject_id)


def _stranger(subject_id: SubjectId, case: Case, policy: Policy) -> SubjectRecord:
    seen = case.seen
    return SubjectRecord(
        subject_id=subject_id,
        revision=0,
        jurisdiction=jurisdiction_of(seen.country if seen is not None else None, policy),
        subject_class=CONSUMER,
        permissions={},
        stops=(),
        conditions=(),
        points=tuple(
            HeldPoint(point=point, retired=False)
            for point in (seen.points if seen is not None else ())
        ),
        links=(),
        candidates=(),
    )


def _note_addresses(bench: Bench) -> None:
    """Register the points that people have now, and retire those no Contact of theirs carries any longer."""
    living: dict[SubjectId, list[ContactSnapshot]] = defaultdict(list)
    for case in bench.cases.values():
        if case.seen is not None and not case.seen.deleted:
            living[bench.owners[case.contact_id]].append(case.seen)
    for subject_id in sorted(living):
        if not bench.records[subject_id].erased:
            # Of an erased person nothing is remembered, whatever is still there.
            bench.records[subject_id] = _as_seen(bench, subject_id, living[subject_id])


def _as_seen(bench: Bench, subject_id: SubjectId, seen: list[ContactSnapshot]) -> SubjectRecord:
    record = bench.records[subject_id]
    older = _NO_POINTS
    if any(each.older for each in seen):
        older = bench.older[subject_id] = frozenset(point for each in seen for point in each.older)
    jurisdiction = _place_of(seen, bench.policy)
    if jurisdiction != record.jurisdiction:
        # Who is met on several Contacts at once is where the living ones say, and has not moved there.
        met = subject_id in bench.met
        if not met:
            bench.places[subject_id] = jurisdiction
        if met or not has_moved(record):  # where somebody is was learned for the first time
            record = replace(record, jurisdiction=jurisdiction)
    points = _points_held(bench, record, seen, older)
    return record if points == record.points else replace(record, points=points)


def _place_of(seen: list[ContactSnapshot], policy: Policy) -> str:
    if len(seen) == 1:
        country = seen[0].country
        return jurisdiction_of(country, policy) if country else UNKNOWN_JURISDICTION
    places = {jurisdiction_of(each.country, policy) for each in seen if each.country}
    return places.pop() if len(places) == 1 else UNKNOWN_JURISDICTION


def _points_held(
    bench: Bench,
    record: SubjectRecord,
    seen: list[ContactSnapshot],
    older: frozenset[ContactPoint],
) -> tuple[HeldPoint, ...]:
    if len(seen) == 1 and still_the_same(record, seen[0]):
        return record.points
    now = {point for each in seen for point in each.points}
    # Somebody whose other Contacts are not on the bench may still use an address found nowhere here,
    # and a fingerprint made with a key that nobody has any longer cannot be looked for.
    complete = all(
        link.contact_id in bench.cases for link in record.links if link.state in LIVE_LINKS
    )
    versions = {point.key_version for point in now} | {point.key_version for point in older}
    held = {
        each.point: each.retired
        or (
            complete
            and each.point not in now
            and (not versions or each.point.key_version in versions)
        )
        for each in record.points
    }
    held |= dict.fromkeys(now, False)
    return tuple(HeldPoint(point=point, retired=held[point]) for point in sorted(held))


def still_the_same(record: SubjectRecord, seen: ContactSnapshot) -> bool:
    """Most people have one Contact, and its addresses are those that are known."""
    now = tuple([held.point for held in record.points if not held.retired])
    return now == seen.points and len(now) == len(record.points)


def _note_last_addresses(bench: Bench) -> None:
    """Keep the addresses that a Contact had at its end: it may be created again, and a stop holds for them."""
    at_home = {bench.owners[contact_id] for contact_id in bench.alive}
    for contact_id, case in bench.cases.items():
        subject_id = bench.owners[contact_id]
        record = bench.records[subject_id]
        if contact_id in bench.alive or record.erased:
            continue
        held = {each.point: each.retired for each in record.points}
        last = {point: subject_id in at_home for point in addresses_of(case) if point not in held}
        if last:
            held |= last
            points = tuple(HeldPoint(point=point, retired=held[point]) for point in sorted(held))
            bench.records[subject_id] = replace(record, points=points)


def _note_suppressions(bench: Bench) -> None:
    """Say which suppressions are about whom: one that is left of an erased person follows nobody to a
    new address, every other one holds for who ever had the address."""
    seen: dict[SubjectId, set[str]] = defaultdict(set)
    for contact_id, case in bench.cases.items():
        seen[bench.owners[contact_id]].update(point.hmac for point in addresses_of(case))
    for subject_id, record in bench.records.items():
        now = seen[subject_id] | {each.point.hmac for each in record.points if not each.retired}
        ever = now | {each.point.hmac for each in record.points}
        known = _about((*record.suppressions, *bench.suppressions), now=now, ever=ever)
        if known != record.suppressions:
            bench.records[subject_id] = replace(record, suppressions=known)


def _about(
    suppressions: Iterable[Suppression], *, now: set[str], ever: set[str]
) -> tuple[Suppression, ...]:
    return tuple(
        sorted(
            {each for each in suppressions if each.hmac in (now if each.after_erasure else ever)},
            key=lambda each: (each.hmac, each.scope, each.since, each.reason, each.after_erasure),
        )
    )
