"""Settling: what Salesforce answered is sealed, the mirror agrees with it, the planned write is closed."""

from collections.abc import Mapping, Sequence
from dataclasses import fields as fields_of
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from salesforce_bridge.audit import entries
from salesforce_bridge.audit.entries import Draft, Pseudonym
from salesforce_bridge.ledger import bulk, heads, mirrors, sealing, waiting, writes
from salesforce_bridge.ledger.moments import EPOCH
from salesforce_bridge.ledger.sealing import Nonces
from salesforce_bridge.ledger.tables import planned_write
from salesforce_bridge.ledger.values import PlannedWrite, Result, Settled
from salesforce_bridge.permissions.keys import ContactId, OrgId, RowId
from salesforce_bridge.reconcile.contact_edits import FLAG_FIELDS
from salesforce_bridge.reconcile.facts import (
    ContactFields,
    ContactSnapshot,
    RowFields,
    RowSnapshot,
)
from salesforce_bridge.reconcile.intent import Target, Value, Verb

_CONTACT_FIELDS = frozenset(field.name for field in fields_of(ContactFields))
_ROW_FIELDS = frozenset(field.name for field in fields_of(RowFields))
Answer = tuple[PlannedWrite, Settled]


def settle(connection: Connection, outcomes: Sequence[Settled], *, nonces: Nonces) -> int:
    """Settle what is still open, and give its number; an outcome told again changes nothing."""
    heads.lock(connection)
    answers = _open_answers(connection, outcomes)
    people = sealing.pseudonyms(connection, {plan.write.subject_id for plan, _ in answers})
    sealing.append(
        connection, [_draft(plan, answer, people) for plan, answer in answers], nonces=nonces
    )
    accepted = [pair for pair in answers if pair[1].result is Result.ACCEPTED]
    _agree(connection, accepted)
    _close(connection, answers)
    for org_id in sorted({plan.org_id for plan, _ in accepted}):
        written = [plan.write for plan, _ in accepted if plan.org_id == org_id]
        waiting.clear(connection, org_id, written)
    return len(answers)


def seal_unknown(
    connection: Connection, org_id: OrgId, *, at: datetime, nonces: Nonces
) -> tuple[ContactId, ...]:
    """Seal as unknown whatever a dead cycle never heard of; give all Contacts that must be looked at."""
    left = writes.unsettled(connection, org_id)
    settle(
        connection,
        [
            Settled(write_id=plan.write.id, result=Result.UNKNOWN, at=at)
            for plan in left
            if not plan.unknown
        ],
        nonces=nonces,
    )
    return tuple(sorted({plan.write.contact_id for plan in left}))


def _open_answers(connection: Connection, outcomes: Sequence[Settled]) -> list[Answer]:
    told = {outcome.write_id: outcome for outcome in outcomes}
    statement = select(planned_write).where(planned_write.c.state.in_(writes.OPEN))
    found = bulk.look_up(connection, statement, planned_write.c.id, told)
    planned = {row.id: writes.planned_of(row) for row in found}
    return [
        (planned[write_id], outcome)
        for write_id, outcome in told.items()
        if write_id in planned
        and not (planned[write_id].unknown and outcome.result is Result.UNKNOWN)
    ]


def _draft(plan: PlannedWrite, answer: Settled, people: Mapping[str, Pseudonym]) -> Draft:
    write = plan.write
    person = people.get(write.subject_id)
    return entries.outcome(
        write_id=write.id,
        result=answer.result.value,
        code=answer.code,
        target=write.target.value,
        verb=write.verb.value,
        lane=write.lane.value,
        decision_id=write.decision_id,
        subject_key=None if person is None else person.subject_key,
        record={
            "contact_id": write.contact_id,
            "record_id": answer.record_id or write.record_id,
            "ledger_key": write.ledger_key,
            "message_digest": answer.message_digest,
        },
        fields=write.fields,
        frame={
            "org_id": plan.org_id,
            "cycle_id": plan.cycle_id,
            "at": entries.plain(answer.at),
        },
    )


def _close(connection: Connection, answers: Sequence[Answer]) -> None:
    closed = [
        {
            "id": plan.write.id,
            "state": answer.result.value,
            "code": answer.code,
            "settled_at": answer.at,
        }
        for plan, answer in answers
    ]
    bulk.change(connection, planned_write, closed, key=("id",))


def _agree(connection: Connection, accepted: Sequence[Answer]) -> None:
    """Make the mirror hold what Salesforce now holds; its old modstamp makes the next poll read it back."""
    for org_id in sorted({plan.org_id for plan, _ in accepted}):
        of_org = [pair for pair in accepted if pair[0].org_id == org_id]
        _agree_contacts(connection, org_id, [p for p in of_org if _target(p) is Target.CONTACT])
        _agree_rows(connection, org_id, [p for p in of_org if _target(p) is Target.ROW])
        _agree_campaigns(
            connection, org_id, [p for p in of_org if _target(p) is Target.CAMPAIGN_MEMBER]
        )


def _target(answer: Answer) -> Target:
    return answer[0].write.target


def _agree_contacts(connection: Connection, org_id: OrgId, accepted: Sequence[Answer]) -> None:
    held = mirrors.contacts(connection, org_id, {plan.write.contact_id for plan, _ in accepted})
    for plan, _ in accepted:
        known = held.get(plan.write.contact_id)
        if known is not None:
            held[plan.write.contact_id] = _contact_with(known, plan.write.fields)
    mirrors.keep(connection, org_id, contacts=held.values())


def _agree_rows(connection: Connection, org_id: OrgId, accepted: Sequence[Answer]) -> None:
    named = [
        (RowId(record_id), plan)
        for plan, answer in accepted
        if (record_id := answer.record_id or plan.write.record_id) is not None
    ]
    ids = {row_id for row_id, _ in named}
    held = mirrors.rows(connection, org_id, ids)
    owners = mirrors.owners(connection, org_id, ids)
    for row_id, plan in named:
        write = plan.write
        known = held.get(row_id) or _unread(row_id)
        held[row_id] = _row_with(known, write.fields, deleted=write.verb is Verb.DELETE)
        owners[row_id] = owners.get(row_id) or write.contact_id
    mirrors.keep(connection, org_id, rows=[(row, owners[row_id]) for row_id, row in held.items()])


def _agree_campaigns(connection: Connection, org_id: OrgId, accepted: Sequence[Answer]) -> None:
    """Remember which prompt a Contact was added to a Campaign for, so that it is added once."""
    if not accepted:
        return
    added = {plan.write.contact_id: plan.write.ledger_key for plan, _ in accepted}
    held = mirrors.contacts(connection, org_id, added)
    mirrors.keep(
        connection,
        org_id,
        contacts=[replace(one, campaigned=added[one.contact_id]) for one in held.values()],
    )


def _unread(row_id: RowId) -> RowSnapshot:
    """A row that was made a moment ago: with no modstamp yet, so that it will be read."""
    return RowSnapshot(
        row_id=row_id,
        modstamp=EPOCH,
        deleted=False,
        fields=RowFields(),
        request=None,
        request_note=None,
        request_evidence=None,
        request_handled=None,
    )


def _contact_with(known: ContactSnapshot, asked: Mapping[str, Value]) -> ContactSnapshot:
    ours: dict[str, Any] = {name: asked[name] for name in asked if name in _CONTACT_FIELDS}
    flags: dict[str, Any] = {name: asked[name] for name in asked if name not in _CONTACT_FIELDS}
    ours_still = {*known.bridge_set, *(name for name, value in flags.items() if value is True)}
    ours_still -= {name for name, value in flags.items() if value is False}
    return replace(
        known,
        fields=replace(known.fields, **ours),
        bridge_set=tuple(name for name in FLAG_FIELDS if name in ours_still),
        **flags,
    )


def _row_with(known: RowSnapshot, asked: Mapping[str, Value], *, deleted: bool) -> RowSnapshot:
    ours: dict[str, Any] = {name: asked[name] for name in asked if name in _ROW_FIELDS}
    requests: dict[str, Any] = {name: asked[name] for name in asked if name not in _ROW_FIELDS}
    return replace(
        known, fields=replace(known.fields, **ours), deleted=known.deleted or deleted, **requests
    )
