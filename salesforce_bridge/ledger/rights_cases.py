"""Cases of people's rights, as they are kept: what was asked, until when it is owed, and what became of it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from salesforce_bridge.ledger import bulk
from salesforce_bridge.ledger.law_tables import rights_case
from salesforce_bridge.permissions.keys import PurposeKey, SubjectId
from salesforce_bridge.permissions.rights import (
    CaseKind,
    CaseState,
    RightsCase,
    answer_due,
    is_open,
)

DUE_SOON = timedelta(days=7)  # before the answer is due, somebody is reminded
_PLAIN = (
    *("id", "subject_id", "received_at", "due_at", "purpose", "extended_to", "reply_sent_at"),
    *("crm_done_at", "reminded_at", "source_record", "decided_by", "decision_reason"),
)
_CHANGING = (
    *("state", "due_at", "extended_to", "reply_sent_at", "crm_done_at", "reminded_at"),
    *("decided_by", "decision_reason", "answer_by", "waiting"),
)


def is_waiting(case: RightsCase) -> bool:
    """Tell whether something about a case is still owed: a decision, a reply, or an erasure seen in the org."""
    in_org = case.kind is CaseKind.ERASURE and case.state is CaseState.DONE
    return is_open(case) or (in_org and case.crm_done_at is None)


def put_cases(connection: Connection, cases: Sequence[RightsCase]) -> None:
    """Keep cases, new or changed."""
    rows: list[Mapping[str, Any]] = []
    for case in cases:
        row: dict[str, Any] = {name: getattr(case, name) for name in _PLAIN}
        row["kind"] = case.kind.value
        row["state"] = case.state.value
        row["answer_by"] = answer_due(case) if is_open(case) else None
        row["waiting"] = is_waiting(case)
        rows.append(row)
    bulk.put_over(connection, rights_case, rows, replace=_CHANGING)


def case_named(connection: Connection, case_id: str) -> RightsCase | None:
    """One case."""
    statement = select(rights_case).where(rights_case.c.id == case_id)
    row = connection.execute(statement).one_or_none()
    return None if row is None else case_of(row)


def waiting_cases_of(
    connection: Connection, ids: Collection[SubjectId]
) -> dict[SubjectId, list[RightsCase]]:
    """The cases of people in which something is still owed, the oldest first."""
    if connection.execute(select(rights_case.c.id).limit(1)).first() is None:
        return {}
    statement = (
        select(rights_case)
        .where(rights_case.c.waiting)
        .order_by(rights_case.c.received_at, rights_case.c.id)
    )
    gathered: dict[SubjectId, list[RightsCase]] = {}
    for row in bulk.look_up(connection, statement, rights_case.c.subject_id, ids):
        gathered.setdefault(SubjectId(row.subject_id), []).append(case_of(row))
    return gathered


def find_cases(
    connection: Connection,
    *,
    case_id: str | None,
    subject_id: SubjectId | None,
    kind: CaseKind | None,
    waiting: bool | None,
    limit: int,
) -> tuple[RightsCase, ...]:
    """Cases by what is known of them, those first whose answer is owed the soonest."""
    statement = select(rights_case)
    if case_id is not None:
        statement = statement.where(rights_case.c.id == case_id)
    if subject_id is not None:
        statement = statement.where(rights_case.c.subject_id == subject_id)
    if kind is not None:
        statement = statement.where(rights_case.c.kind == kind.value)
    if waiting is not None:
        statement = statement.where(rights_case.c.waiting if waiting else ~rights_case.c.waiting)
    owed = (rights_case.c.answer_by.is_(None), rights_case.c.answer_by, rights_case.c.received_at)
    statement = statement.order_by(*owed, rights_case.c.id).limit(limit)
    return tuple(map(case_of, connection.execute(statement)))


def case_of(row: Row[*tuple[Any, ...]]) -> RightsCase:
    """A case of somebody's rights."""
    return RightsCase(
        id=row.id,
        kind=CaseKind(row.kind),
        subject_id=SubjectId(row.subject_id),
        received_at=row.received_at,
        due_at=row.due_at,
        state=CaseState(row.state),
        purpose=None if row.purpose is None else PurposeKey(row.purpose),
        extended_to=row.extended_to,
        reply_sent_at=row.reply_sent_at,
        crm_done_at=row.crm_done_at,
        reminded_at=row.reminded_at,
        source_record=row.source_record,
        decided_by=row.decided_by,
        decision_reason=row.decision_reason,
    )
