"""Reading permission files: lines of CSV become words of somebody, or problems with a line number."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from salesforce_bridge.ledger.import_cells import (
    CONDITION_COLUMNS,
    PERMISSION_COLUMNS,
    Cells,
    Frame,
    Problem,
    Unreadable,
    Whose,
    moment_of,
    past_of,
    problem_of,
    read_cells,
    refuse_addresses,
    whose_of,
    word_of,
)
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, Channel, PurposeKey, Use
from salesforce_bridge.permissions.policy import Policy

__all__ = [
    "CONDITION_COLUMNS",
    "PERMISSION_COLUMNS",
    "STOPPING",
    "Frame",
    "PermissionLine",
    "Problem",
    "Told",
    "Whose",
    "read_permissions",
]

_REQUIRED = ("event", "happened_at")


class Told(StrEnum):
    """What a line says happened, in words that need no lawyer."""

    REQUEST = "REQUEST"
    GRANT = "GRANT"
    REFUSE = "REFUSE"
    WITHDRAW = "WITHDRAW"
    OBJECT = "OBJECT"
    STOP = "STOP"  # what is neither: of one use, a channel, all marketing
    STOP_ALL = "STOP_ALL"
    ESTABLISH = "ESTABLISH"
    END = "END"


STOPPING = frozenset({Told.REFUSE, Told.WITHDRAW, Told.OBJECT, Told.STOP, Told.STOP_ALL})


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionLine:
    """One line of a permission file."""

    line: int
    whose: Whose
    told: Told
    use: Use
    happened_at: datetime
    grade: Grade
    trust: Trust
    evidence_ref: str | None
    notice_id: str | None
    effective_to: datetime | None
    capture_source: str | None
    condition_ref: str | None


def read_permissions(
    text: str, frame: Frame
) -> tuple[tuple[PermissionLine, ...], tuple[Problem, ...]]:
    """Read a permission file completely, so that all its problems are told at once."""
    lines: list[PermissionLine] = []
    problems: list[Problem] = []
    for number, cells in read_cells(text, PERMISSION_COLUMNS, _REQUIRED, problems):
        try:
            lines.append(_permission_line(number, cells, frame))
        except Unreadable as error:
            problems.append(problem_of(number, error))
    return tuple(lines), tuple(problems)


def _permission_line(number: int, cells: Cells, frame: Frame) -> PermissionLine:
    refuse_addresses(cells)
    told = word_of(cells, "event", Told)
    grade = Grade[cells["evidence_grade"]] if _is_grade(cells) else Grade.NONE
    reference = cells.get("evidence_ref") or None
    kind = cells.get("evidence_kind") or None
    return PermissionLine(
        line=number,
        whose=whose_of(cells, frame),
        told=told,
        use=_use(cells, told, frame.policy),
        happened_at=past_of(cells, "happened_at", frame),
        grade=grade,
        trust=_trust(cells, grade),
        evidence_ref=f"{kind}:{reference}" if kind and reference else reference or kind,
        notice_id=_notice(cells, frame.policy),
        effective_to=moment_of(cells, "effective_to"),
        capture_source=cells.get("capture_source") or None,
        condition_ref=cells.get("condition_ref") or None,
    )


def _use(cells: Cells, told: Told, policy: Policy) -> Use:
    purpose, channel = cells.get("purpose") or ANY_PURPOSE, cells.get("channel") or ANY_CHANNEL
    if told not in STOPPING and ANY_PURPOSE in (purpose, channel):
        raise Unreadable("purpose", f"{told.value} is about one purpose on one channel")
    if purpose != ANY_PURPOSE and channel == ANY_CHANNEL:
        raise Unreadable("channel", "is missing; one line for each channel of the purpose")
    if purpose != ANY_PURPOSE and purpose not in policy.purposes:
        raise Unreadable("purpose", f"{purpose} is not in policy {policy.version}")
    if channel != ANY_CHANNEL and channel not in policy.channels:
        raise Unreadable("channel", f"{channel} is not in policy {policy.version}")
    return Use(purpose=PurposeKey(purpose), channel=Channel(channel))


def _trust(cells: Cells, grade: Grade) -> Trust:
    """What a file says about its own trust counts only as far as it can show it."""
    asked = cells.get("trust") or Trust.UNVERIFIED_RELAY.name
    if asked not in Trust.__members__:
        raise Unreadable("trust", f"is not one of: {', '.join(Trust.__members__)}")
    approvers = {one.strip() for one in cells.get("approved_by", "").split("+") if one.strip()}
    two_people = len(approvers) > 1
    wanted = Trust[asked]
    if wanted is Trust.SUBJECT_DIRECT and grade is Grade.A and cells.get("verified_by"):
        return Trust.SUBJECT_DIRECT
    if wanted >= Trust.CONTROLLER_CONTROLLED and two_people:
        return Trust.CONTROLLER_CONTROLLED
    return Trust.UNVERIFIED_RELAY


def _is_grade(cells: Cells) -> bool:
    grade = cells.get("evidence_grade", "")
    if grade and grade not in Grade.__members__:
        raise Unreadable("evidence_grade", "is not one of: A, B, C, D, NONE")
    return bool(grade)


def _notice(cells: Cells, policy: Policy) -> str | None:
    notice = cells.get("notice_id") or None
    if notice is not None and notice not in policy.notices:
        raise Unreadable("notice_id", f"{notice} is not in policy {policy.version}")
    return notice
