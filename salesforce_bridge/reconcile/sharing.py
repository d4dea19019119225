"""Sharing: one address or number on Contacts of different people, and the stops that come with it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from salesforce_bridge.permissions.contact_points import ContactPoint, PointType
from salesforce_bridge.permissions.keys import ContactId, SubjectId, Use
from salesforce_bridge.permissions.permission import last_told
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.states import STOPPED, State
from salesforce_bridge.permissions.stops import covers, stands
from salesforce_bridge.permissions.suppressions import is_silencing, matching, silences
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.classes import LedgerClass, class_of, is_marketing, is_stopped
from salesforce_bridge.reconcile.contact_edits import nearest
from salesforce_bridge.reconcile.facts import LIVE_LINKS, Case, ContactSnapshot, SubjectRecord
from salesforce_bridge.reconcile.findings import Finding, Shared, Situation, in_order
from salesforce_bridge.reconcile.uses import uses_of_case

# Who said no, or is to be left alone, has nothing that another record could be mistaken to have as well.
_SILENT = frozenset({LedgerClass.L4, LedgerClass.L6})


def duplicates(bench: Bench) -> tuple[Finding, ...]:
    """Find people who turn out to share an address: what stops one of them, and else that they do share it."""
    if len(bench.records) == 1:
        return ()
    stops = tuple(_shared_stops(bench))
    told = {(each.contact_id, each.use) for each in stops}
    points = (each for each in _shared_points(bench) if (each.contact_id, each.use) not in told)
    return in_order((*stops, *points))


def is_freer(bench: Bench, record: SubjectRecord, points: Collection[ContactPoint]) -> bool:
    """Say whether a person took back what else stands over these addresses, because of somebody else.

    That yes is proven for this person alone: a Contact with such an address may as well be the other one's,
    and must not pass a no because it is taken for this one's.
    """
    lifted = {use: each.lifted_at for use, each in record.permissions.items() if each.lifted_at}
    if not lifted:
        return False
    wide = {point.hmac for point in points}
    shared = {
        teller.subject_id: frozenset(
            each.point.type for each in teller.points if each.point.hmac in wide
        )
        for teller in bench.records.values()
        if teller.subject_id != record.subject_id and _says_no(teller)
    }
    silent = [
        each for each in matching(bench.suppressions, points) if is_silencing(each, at=bench.at)
    ]
    for use, lifted_at in lifted.items():
        no = _shared_stop_at(bench, record, use, shared)
        marketing = is_marketing(record, use, policy=bench.policy)
        left = (each.since for each in silent if silences(each, marketing=marketing))
        if any(since <= lifted_at for since in (*left, *(() if no is None else (no,)))):
            return True
    return False


def noes_of_others(bench: Bench, record: SubjectRecord) -> Mapping[Use, datetime]:
    """Say when somebody else with an address of this person last said no to a use.

    Whoever is stopped already is not told each time, so that a switchboard does not tell everybody
    everything. But it counts from the last time, wherever this person's no is carried to.
    """
    shared = _sharing(record, _tellers(bench))
    uses = sorted({*bench.policy.uses, *record.permissions}) if shared else ()
    found = {use: _shared_stop_at(bench, record, use, shared) for use in uses}
    return {use: at for use, at in found.items() if at is not None}


def own_stop_at(record: SubjectRecord, use: Use, *, policy: Policy) -> datetime | None:
    """Say when a person last said no to a use themselves; None if they did not, or have lifted it since."""
    permission = record.permissions.get(use)
    marketing = is_marketing(record, use, policy=policy)
    lifted_at = permission.lifted_at if permission is not None else None
    told = [
        stop.since
        for stop in record.stops
        if stop.own and covers(stop, use, marketing=marketing) and stands(stop, lifted_at)
    ]
    if permission is not None and permission.own:
        told += last_told(permission, under_a_wider_no=bool(told))
    return max(told, default=None)


def _shared_stops(bench: Bench) -> Iterator[Finding]:
    """Find stops on marketing that came with an address which somebody else has too.

    Only the person's own stop is carried, and once: one that reached somebody by a shared address does
    not travel on, or one switchboard would silence a town.
    """
    told_by = _tellers(bench)
    for case in bench.cases.values() if told_by else ():
        if case.contact_id not in bench.alive:
            continue
        record = bench.record_of(case.contact_id)
        shared = _sharing(record, told_by)
        for use in uses_of_case(bench, case) if shared else ():
            since = _shared_stop_at(bench, record, use, shared)
            if since is not None and _is_to_be_told(bench, record, use, since):
                yield Finding(
                    situation=Situation.S20_DUPLICATE_CONTACT_POINT,
                    contact_id=case.contact_id,
                    use=use,
                    stamp=since,
                    shared=Shared.STOP,
                )


def _shared_points(bench: Bench) -> Iterator[Finding]:
    """Find Contacts that turn up with, or are given, an address which somebody else's Contact has.

    It is told once, of the Contact that brought the news; telling who is who is for a person.
    """
    if len(bench.alive) == 1:
        return
    brought = {
        contact_id: news
        for contact_id in bench.alive
        if (news := _points_brought(bench.cases[contact_id]))
    }
    if not brought:
        return
    owners = _owners_by_point(bench)
    for contact_id in sorted(brought):
        case, whose = bench.cases[contact_id], bench.owners[contact_id]
        shared = {kind for hmac, kind in brought[contact_id].items() if not owners[hmac] <= {whose}}
        for use in uses_of_case(bench, case) if shared else ():
            kind = _point_type_of(use, bench.policy)
            if kind in shared and not _is_silent(bench, contact_id, use):
                yield _shared_point(case, use, kind)


def _shared_point(case: Case, use: Use, kind: PointType | None) -> Finding:
    seen = case.seen
    return Finding(
        situation=Situation.S20_DUPLICATE_CONTACT_POINT,
        contact_id=case.contact_id,
        use=use,
        stamp=seen.modstamp if seen is not None else None,
        actor=seen.modified_by if seen is not None else None,
        observed={"contact_point": (None, kind)},
        shared=Shared.POINT,
    )


def _points_brought(case: Case) -> Mapping[str, PointType]:
    """Give the addresses that are news, by every fingerprint: all of a Contact that is met or comes back,
    else those it was given since both sides last agreed."""
    seen = case.seen
    if seen is None or seen is case.mirror:
        return {}
    agreed = nearest(case, seen)
    back = case.link is None or case.link.state not in LIVE_LINKS
    if agreed is None or agreed.deleted or back:
        return _by_fingerprint(seen)
    if agreed.points == seen.points:
        return {}
    known = {point.hmac for point in (*agreed.points, *agreed.older)}
    versions = {point.key_version for point in (*agreed.points, *agreed.older)}
    # Fingerprints under different keys cannot be compared.
    return {
        point.hmac: point.type
        for point in (*seen.points, *seen.older)
        if point.hmac not in known and (not versions or point.key_version in versions)
    }


def _by_fingerprint(contact: ContactSnapshot) -> Mapping[str, PointType]:
    return {point.hmac: point.type for point in (*contact.points, *contact.older)}


def _owners_by_point(bench: Bench) -> Mapping[str, set[SubjectId]]:
    """Say who has a living Contact with an address, by every fingerprint of it."""
    owners: dict[str, set[SubjectId]] = defaultdict(set)
    for contact_id in bench.alive:
        seen = bench.cases[contact_id].seen
        for hmac in _by_fingerprint(seen) if seen is not None else ():
            owners[hmac].add(bench.owners[contact_id])
    return owners


def _point_type_of(use: Use, policy: Policy) -> PointType | None:
    rule = policy.channels.get(use.channel)
    return rule.point if rule is not None else None


def _is_silent(bench: Bench, contact_id: ContactId, use: Use) -> bool:
    record = bench.record_of(contact_id)
    return class_of(record, use, policy=bench.policy, at=bench.at) in _SILENT


def _says_no(record: SubjectRecord) -> bool:
    return bool(record.stops) or any(each.state in STOPPED for each in record.permissions.values())


def _tellers(bench: Bench) -> Mapping[str, Sequence[SubjectRecord]]:
    """Name those who said no, by every address that they hold or once held."""
    told_by: dict[str, list[SubjectRecord]] = defaultdict(list)
    for teller in bench.records.values():
        for held in teller.points if _says_no(teller) else ():
            told_by[held.point.hmac].append(teller)
    return told_by


def _sharing(
    record: SubjectRecord, told_by: Mapping[str, Iterable[SubjectRecord]]
) -> Mapping[SubjectId, frozenset[PointType]]:
    """Name the people who said no and who hold, or once held, an address or number of this one."""
    shared: dict[SubjectId, frozenset[PointType]] = {}
    for held in record.points:
        for teller in () if held.retired else told_by.get(held.point.hmac, ()):
            if teller.subject_id != record.subject_id:
                kinds = shared.get(teller.subject_id, frozenset())
                shared[teller.subject_id] = kinds | {held.point.type}
    return shared


def _shared_stop_at(
    bench: Bench,
    record: SubjectRecord,
    use: Use,
    shared: Mapping[SubjectId, frozenset[PointType]],
) -> datetime | None:
    policy = bench.policy
    rule = policy.channels.get(use.channel)
    if rule is None or not is_marketing(record, use, policy=policy):
        return (
            None  # an objection on personal grounds is about one person, whoever shares the address
        )
    told = (
        own_stop_at(bench.records[teller], use, policy=policy)
        for teller, kinds in shared.items()
        if rule.point in kinds
    )
    return max((at for at in told if at is not None), default=None)


def _is_to_be_told(bench: Bench, record: SubjectRecord, use: Use, since: datetime) -> bool:
    """Say whether a stop from elsewhere has yet to reach this person, who has not said yes after it."""
    if is_stopped(record, use, policy=bench.policy, at=bench.at):
        return False
    permission = record.permissions.get(use)
    if permission is None:
        return True
    erased = permission.state is State.ERASED
    return not erased and (permission.lifted_at is None or permission.lifted_at <= since)
