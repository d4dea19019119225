"""Recording a plan: the intent, complete and sealed, before anything has an effect."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select

from salesforce_bridge.audit import entries
from salesforce_bridge.audit.entries import Draft, Pseudonym
from salesforce_bridge.ledger import (
    bulk,
    circuits,
    claims,
    heads,
    history,
    mirrors,
    people,
    projection,
    rights_cases,
    sealing,
    subjects,
    suppressions,
    waiting,
    writes,
)
from salesforce_bridge.ledger import drafts as sealed
from salesforce_bridge.ledger.sealing import Nonces
from salesforce_bridge.ledger.tables import condition
from salesforce_bridge.ledger.values import Appended, CycleId
from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.keys import ContactId, OrgId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.rights import CaseKind, RightsCase
from salesforce_bridge.reconcile.contact_edits import FLAG_FIELDS
from salesforce_bridge.reconcile.facts import LIVE_LINKS, ContactSnapshot, RowSnapshot
from salesforce_bridge.reconcile.intent import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Under which a plan was made."""

    org_id: OrgId
    cycle_id: CycleId
    at: datetime
    policy: Policy
    software: str


def record(
    connection: Connection,
    plan: Plan,
    circumstances: Circumstances,
    *,
    contacts: Sequence[ContactSnapshot],
    rows: Sequence[tuple[RowSnapshot, ContactId | None]],
    asked_for: Collection[ContactId] = (),
    nonces: Nonces,
) -> Appended:
    """Record everything about a plan, in the one transaction that the caller commits."""
    org_id, at = circumstances.org_id, circumstances.at
    read = {*asked_for, *(snapshot.contact_id for snapshot in contacts)}
    read.update(owner for _, owner in rows if owner is not None)
    revision = heads.lock(connection).revision
    people.add_subjects(
        connection,
        plan.subjects,
        at=at,
        revision=revision,
        outside=False,
        nonces=nonces,
        policy_digest=circumstances.policy.digest,
    )
    people.put_links(connection, plan.links, at=at)
    people.change_points(connection, plan.points, at=at)
    people.move_jurisdictions(connection, plan.jurisdictions)
    appended = _told(connection, plan, circumstances)
    claims.put_candidates(
        connection, [(org_id, claim) for claim in plan.candidates], revision=appended.revision
    )
    ours = writes.look_at(connection, org_id, read)
    seen = [one for one in contacts if one.contact_id not in plan.parked]
    seen += mirrors.vanished(
        connection, org_id, {*asked_for} - {one.contact_id for one in contacts}
    )
    mirrors.keep(
        connection,
        org_id,
        contacts=_with_marks(connection, org_id, seen, ours),
        rows=[(row, owner) for row, owner in rows if row.row_id not in plan.parked],
    )
    mirrors.strip(connection, org_id, _gone_for_good(connection, plan, circumstances, seen))
    is_open = plan.opens_circuit is not None or circuits.why_open(connection, org_id) is not None
    waiting.supersede(connection, org_id, read, plan.writes, held_too=not is_open)
    writes.plan(connection, plan.writes, org_id=org_id, cycle_id=circumstances.cycle_id, at=at)
    drafts = _drafts(connection, plan, circumstances, read=read, nonces=nonces)
    drafts += _rekeyed(connection, contacts, circumstances)
    sealing.append(connection, drafts, nonces=nonces)
    return appended


def _gone_for_good(
    connection: Connection,
    plan: Plan,
    circumstances: Circumstances,
    seen: Sequence[ContactSnapshot],
) -> frozenset[ContactId]:
    """Name the Contacts of erased people that are gone from the org: whoever they were is not remembered."""
    org_id = circumstances.org_id
    done = {
        case.subject_id
        for case in plan.cases
        if case.kind is CaseKind.ERASURE and case.crm_done_at is not None
    }
    known = subjects.links_of_people(connection, done).values()
    closed = [link for links in known for link in links if link.state not in LIVE_LINKS]
    gone = subjects.links_of(connection, org_id, {one.contact_id for one in seen if one.deleted})
    erased = subjects.erased_among(connection, {link.subject_id for link in gone.values()})
    return frozenset(
        link.contact_id
        for link in (*closed, *gone.values())
        if link.org_id == org_id and (link.subject_id in done or link.subject_id in erased)
    )


def _told(connection: Connection, plan: Plan, circumstances: Circumstances) -> Appended:
    """Append the facts of a plan, and note what else it says about people."""
    append_conditions(connection, plan.conditions, at=circumstances.at)
    appended = history.append(connection, plan.events, _origin(circumstances))
    rights_cases.put_cases(connection, plan.cases)
    suppressions.put_suppressions(connection, plan.suppressions)
    projection.set_due(connection, plan.due)
    people.judged_under(connection, plan.judged_anew, circumstances.policy.digest)
    circuits.count_edits(connection, circumstances.org_id, plan.edits, at=circumstances.at)
    return appended


def _with_marks(
    connection: Connection,
    org_id: OrgId,
    contacts: Sequence[ContactSnapshot],
    raised: Mapping[ContactId, set[str]],
) -> Iterator[ContactSnapshot]:
    """Carry over what Salesforce cannot say: which flags are set by us (those that were, or that we asked
    for, and that still are), and which prompt somebody was added to a Campaign for."""
    before = mirrors.marks(connection, org_id, [one.contact_id for one in contacts])
    for snapshot in contacts:
        flags, campaigned = before.get(snapshot.contact_id, ((), None))
        ours = {*flags, *raised.get(snapshot.contact_id, ())}
        still = tuple(name for name in FLAG_FIELDS if name in ours and getattr(snapshot, name))
        known = still or campaigned is not None
        yield replace(snapshot, bridge_set=still, campaigned=campaigned) if known else snapshot


def _origin(circumstances: Circumstances) -> history.Origin:
    return history.Origin(
        at=circumstances.at,
        policy=circumstances.policy,
        org_id=circumstances.org_id,
        cycle_id=circumstances.cycle_id,
    )


def _drafts(
    connection: Connection,
    plan: Plan,
    circumstances: Circumstances,
    *,
    read: Collection[ContactId],
    nonces: Nonces,
) -> list[Draft]:
    decisions = plan.decisions
    concerned = {each.subject_id for each in decisions}
    concerned.update(case.subject_id for case in plan.cases)
    known = sealing.pseudonyms(connection, concerned)
    # Some decisions are about nobody the ledger keeps: a row without an owner, a Contact that was gone
    # before anybody looked. They are sealed under a name that is used once.
    strangers = {each: sealing.new_pseudonym(nonces) for each in concerned - known.keys()}
    frame = _frame(circumstances)
    link_refs: dict[ContactId, str] = {}
    drafts: list[Draft] = []
    for decision in decisions:
        contact_id = decision.contact_id
        person = known.get(decision.subject_id) or strangers[decision.subject_id]
        link_ref = link_refs.get(contact_id)
        if link_ref is None:
            link_ref = link_refs[contact_id] = person.link_ref(contact_id)
        drafts.append(
            entries.decision(
                decision,
                person=person,
                link_ref=link_ref,
                record_read=contact_id in read and decision.subject_id in known,
                frame=frame,
            )
        )
    drafts.extend(_case_draft(case, known.get(case.subject_id), frame) for case in plan.cases)
    if plan.suppressions:
        drafts.append(
            sealed.suppressed(
                sealed.SUPPRESSION_ADDED, plan.suppressions, by=sealed.BRIDGE, frame=frame
            )
        )
    return drafts


def _rekeyed(
    connection: Connection, contacts: Sequence[ContactSnapshot], circumstances: Circumstances
) -> list[Draft]:
    """Keep silent under the new key what was silent under the old one, and seal that."""
    added = suppressions.rekeyed(connection, contacts)
    if not added:
        return []
    frame = _frame(circumstances)
    return [sealed.suppressed(sealed.SUPPRESSION_REKEYED, added, by=sealed.BRIDGE, frame=frame)]


def _frame(circumstances: Circumstances) -> dict[str, object]:
    return {
        "org_id": circumstances.org_id,
        "cycle_id": circumstances.cycle_id,
        "at": entries.plain(circumstances.at),
        "policy_version": circumstances.policy.version,
        "policy_digest": circumstances.policy.digest,
        "software": circumstances.software,
    }


def _case_draft(case: RightsCase, person: Pseudonym | None, frame: Mapping[str, object]) -> Draft:
    is_new = case.reminded_at is None and case.crm_done_at is None
    return sealed.case(
        sealed.CASE_OPENED if is_new else sealed.CASE_NOTED,
        case,
        subject_key=None if person is None else person.subject_key,
        by=sealed.BRIDGE,
        frame=frame,
    )


def append_conditions(connection: Connection, facts: Sequence[Condition], *, at: datetime) -> None:
    """Append facts that are new, each with the next revision."""
    if not facts:
        return
    offered = {fact.id: fact for fact in facts}
    known = {
        row.id for row in bulk.look_up(connection, select(condition.c.id), condition.c.id, offered)
    }
    fresh = [fact for fact in offered.values() if fact.id not in known]
    revision = heads.lock(connection).revision
    touched = people.add_conditions(connection, fresh, at=at, after=revision)
    heads.move(connection, {"revision": revision + len(fresh)})
    history.touch(connection, touched, outside=False)
