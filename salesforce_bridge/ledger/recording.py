"""Recording a plan: the intent, complete and sealed, before anything has an effect."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from salesforce_bridge.audit import entries
from salesforce_bridge.audit.entries import Draft
from salesforce_bridge.ledger import heads, history, mirrors, people, sealing, waiting, writes
from salesforce_bridge.ledger.sealing import Nonces
from salesforce_bridge.ledger.values import Appended, CycleId
from salesforce_bridge.permissions.keys import ContactId, OrgId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.contact_edits import FLAG_FIELDS
from salesforce_bridge.reconcile.facts import ContactSnapshot, RowSnapshot
from salesforce_bridge.reconcile.intent import Decision, Plan


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
        connection, plan.subjects, at=at, revision=revision, outside=False, nonces=nonces
    )
    people.put_links(connection, plan.links, at=at)
    people.change_points(connection, plan.points, at=at)
    people.move_jurisdictions(connection, plan.jurisdictions)
    appended = history.append(connection, plan.events, _origin(circumstances))
    people.put_candidates(
        connection, [(org_id, claim) for claim in plan.candidates], revision=appended.revision
    )
    ours = writes.look_at(connection, org_id, read)
    mirrors.keep(
        connection, org_id, contacts=_with_flags(connection, org_id, contacts, ours), rows=rows
    )
    waiting.supersede(connection, org_id, read, plan.writes)
    writes.plan(connection, plan.writes, org_id=org_id, cycle_id=circumstances.cycle_id, at=at)
    drafts = _drafts(connection, plan.decisions, circumstances, read=read, nonces=nonces)
    sealing.append(connection, drafts, nonces=nonces)
    return appended


def _with_flags(
    connection: Connection,
    org_id: OrgId,
    contacts: Sequence[ContactSnapshot],
    raised: Mapping[ContactId, set[str]],
) -> Iterator[ContactSnapshot]:
    """Carry over which flags are set by us: those that were, or that we asked for, and that still are."""
    before = mirrors.flags_set_by_bridge(connection, org_id, [one.contact_id for one in contacts])
    for snapshot in contacts:
        ours = {*before.get(snapshot.contact_id, ()), *raised.get(snapshot.contact_id, ())}
        still = tuple(name for name in FLAG_FIELDS if name in ours and getattr(snapshot, name))
        yield replace(snapshot, bridge_set=still) if still else snapshot


def _origin(circumstances: Circumstances) -> history.Origin:
    return history.Origin(
        at=circumstances.at,
        policy=circumstances.policy,
        org_id=circumstances.org_id,
        cycle_id=circumstances.cycle_id,
    )


def _drafts(
    connection: Connection,
    decisions: Sequence[Decision],
    circumstances: Circumstances,
    *,
    read: Collection[ContactId],
    nonces: Nonces,
) -> list[Draft]:
    concerned = {decision.subject_id for decision in decisions}
    known = sealing.pseudonyms(connection, concerned)
    # Some decisions are about nobody the ledger keeps: a row without an owner, a Contact that was gone
    # before anybody looked. They are sealed under a name that is used once.
    strangers = {each: sealing.new_pseudonym(nonces) for each in concerned - known.keys()}
    frame = {
        "org_id": circumstances.org_id,
        "cycle_id": circumstances.cycle_id,
        "at": entries.plain(circumstances.at),
        "policy_version": circumstances.policy.version,
        "policy_digest": circumstances.policy.digest,
        "software": circumstances.software,
    }
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
    return drafts
