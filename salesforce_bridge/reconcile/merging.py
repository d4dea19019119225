"""Merging and un-merging: the person of a Contact that was merged away, and the one of the Contact that lives on."""

from collections.abc import Iterator
from dataclasses import replace

from salesforce_bridge.permissions.conditions import Condition, ConditionKind, in_date
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.permissions.suppressions import is_silencing
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.facts import (
    AMBIGUOUS,
    MERGED_INTO,
    ContactSnapshot,
    SubjectRecord,
)
from salesforce_bridge.reconcile.identity import stable_id
from salesforce_bridge.reconcile.joins import Merge, join, later_yes, stops_shared, stops_told
from salesforce_bridge.reconcile.sharing import noes_of_others


def merge(bench: Bench, contact_id: ContactId) -> tuple[str, ...]:
    """Join the person of a Contact that was merged away with the person of the one that lives on."""
    winner_id = winner_of(bench, contact_id)
    # That two records are one person is a rep's opinion; that a candidate is that person is nobody's yet,
    # and to what is gone nothing need be permitted.
    proven = winner_id in bench.alive and not any(
        link is not None and link.state == AMBIGUOUS
        for link in map(bench.link_of, (contact_id, winner_id) if winner_id else (contact_id,))
    )
    bench.relink(contact_id, MERGED_INTO, merged_into=winner_id)
    loser = bench.record_of(contact_id)
    if winner_id is None or bench.owners[winner_id] == loser.subject_id:
        return ()
    winner = bench.record_of(winner_id)
    seen = bench.cases[contact_id].seen
    assert seen is not None
    facts = Merge(
        loser=loser,
        winner=winner,
        contact_id=contact_id,
        proven=proven,
        merged_at=min(seen.modstamp, bench.at),
        policy=bench.policy,
        at=bench.at,
        shared=noes_of_others(bench, loser),
    )
    told = []
    for event in (*join(facts), *stops_shared(facts)):
        bench.append(event)
        told.append(event.id)
    permitted = any(event.kind in _PERMITTING for event in bench.events if event.id in told)
    _carry_facts(bench, loser, winner, permitted=permitted)
    for claim in later_yes(facts):
        bench.set_aside(claim)
        told.append(claim.id)
    return tuple(told)


def part_all(bench: Bench) -> None:
    """Tell everybody who is no longer merged what they have to know.

    It comes before it is asked with whom they share an address, so that what they are told reaches those as
    well, in this very cycle.
    """
    for contact_id in sorted(bench.alive):
        unmerge(bench, contact_id)


def unmerge(bench: Bench, contact_id: ContactId) -> tuple[str, ...]:
    """Let a Contact that is its own person again keep every no that the others were told meanwhile."""
    case = bench.cases[contact_id]
    if case.link is None or case.link.state != MERGED_INTO or case.seen is None:
        return ()
    if contact_id not in bench.parted:
        bench.parted[contact_id] = tuple(_part(bench, contact_id, case.seen))
    return bench.parted[contact_id]


def _part(bench: Bench, contact_id: ContactId, seen: ContactSnapshot) -> Iterator[str]:
    for master_id in taken_over_by(bench, contact_id):
        loser, winner = bench.record_of(contact_id), bench.record_of(master_id)
        if winner.subject_id == loser.subject_id:
            continue
        back = Merge(
            loser=winner,
            winner=loser,
            contact_id=master_id,
            proven=False,
            merged_at=min(seen.modstamp, bench.at),
            policy=bench.policy,
            at=bench.at,
            shared=noes_of_others(bench, winner),
        )
        for event in (*stops_told(back), *stops_shared(back)):
            bench.append(event)
            yield event.id


def winner_of(bench: Bench, contact_id: ContactId) -> ContactId | None:
    """Follow merges to the Contact that took over, gone or not; None if it is not in sight."""
    seen: set[ContactId] = set()
    case = bench.cases[contact_id]
    while case.contact_id not in seen:
        seen.add(case.contact_id)
        master_id = case.seen.master_id if case.seen is not None else None
        if master_id is None:
            break
        if master_id not in bench.cases:
            return None
        case = bench.cases[master_id]
    return case.contact_id if case.contact_id != contact_id else None


def taken_over_by(bench: Bench, contact_id: ContactId) -> Iterator[ContactId]:
    """Name the Contact into which this one was merged, the one into which that was merged, and so on."""
    passed = {contact_id}
    link = bench.cases[contact_id].link
    while link is not None and link.merged_into in bench.owners and link.merged_into not in passed:
        passed.add(link.merged_into)
        yield link.merged_into
        link = bench.cases[link.merged_into].link


_PERMITTING = frozenset({EventKind.GRANT, EventKind.ESTABLISH})
# Facts that stand in the way of something, and so hold for whoever the records turn out to be.
_RESTRICTING = frozenset(
    {
        ConditionKind.RESTRICTION,
        ConditionKind.UNDELIVERABLE,
        ConditionKind.DNC_LISTED,
        ConditionKind.DECEASED,
        ConditionKind.MINOR,
    }
)


def _carry_facts(
    bench: Bench, loser: SubjectRecord, winner: SubjectRecord, *, permitted: bool
) -> None:
    """Carry what else is known: what restricts always, what a yes rests on along with a yes."""
    for condition in _conditions(bench, loser, winner, permitted=permitted):
        bench.add_condition(condition)
    for case in loser.cases:
        carried = stable_id("case", winner.subject_id, case.id)
        bench.open_case(replace(case, id=carried, subject_id=winner.subject_id))
    for suppression in loser.suppressions:
        if is_silencing(suppression, at=bench.at):
            for point in sorted(bench.points_of(winner.subject_id)):
                if point.hmac != suppression.hmac:
                    bench.suppress(
                        replace(
                            suppression,
                            hmac=point.hmac,
                            key_version=point.key_version,
                            reason="MERGE_WITH_ERASED_REVIEW"
                            if suppression.after_erasure
                            else "MERGE_STOP_CARRIED",
                        )
                    )


def _conditions(
    bench: Bench, loser: SubjectRecord, winner: SubjectRecord, *, permitted: bool
) -> Iterator[Condition]:
    known = {
        (each.kind, each.ref, each.purpose, each.point)
        for each in winner.conditions
        if in_date(each, at=bench.at)
    }
    for each in loser.conditions:
        if (each.kind, each.ref, each.purpose, each.point) in known:
            continue
        current = each.valid_to is None or each.valid_to > bench.at
        if current and (each.kind in _RESTRICTING or permitted):
            yield replace(
                each,
                id=stable_id("condition", winner.subject_id, each.id),
                subject_id=winner.subject_id,
            )
