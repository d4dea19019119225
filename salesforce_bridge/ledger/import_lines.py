"""Reading import files: lines of CSV become facts about somebody, or problems with a line number."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from salesforce_bridge.permissions.conditions import ConditionKind
from salesforce_bridge.permissions.contact_points import (
    ContactPoint,
    PointKeys,
    PointType,
    under_every_key,
)
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import (
    ANY_CHANNEL,
    ANY_PURPOSE,
    Channel,
    ContactId,
    OrgId,
    PurposeKey,
    Use,
)
from salesforce_bridge.permissions.policy import Policy

PERMISSION_COLUMNS = (
    *("contact_id", "email", "phone", "purpose", "channel", "event", "happened_at"),
    *("evidence_grade", "evidence_kind", "evidence_ref", "notice_id"),
    *("trust", "approved_by", "verified_by", "effective_to", "capture_source", "condition_ref"),
)
CONDITION_COLUMNS = (
    *("contact_id", "email", "phone", "kind", "ref", "valid_from", "valid_to", "purpose"),
)
_REQUIRED = {
    PERMISSION_COLUMNS: ("event", "happened_at"),
    CONDITION_COLUMNS: ("kind", "ref", "valid_from"),
}
# Cells that are stored as they are; an address has no business there.
_STORED = ("evidence_kind", "evidence_ref", "capture_source", "condition_ref", "ref")
_CELL_MAX = 200
_SHORT_ID, _LONG_ID, _ID_GROUP = 15, 18, 5
_ID_SUFFIXES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


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
class Frame:
    """Under which an import is read: whose Contacts, which policy, which keys, who and when."""

    org_id: OrgId
    policy: Policy
    keys: PointKeys
    at: datetime
    by: str  # a login, never a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a line cannot be imported."""

    line: int
    column: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Who a line is about; of each address the fingerprints under all keys, the current first."""

    contact_id: ContactId | None
    email: tuple[ContactPoint, ...]
    phone: tuple[ContactPoint, ...]

    @property
    def points(self) -> tuple[ContactPoint, ...]:
        """The contact points under the current key."""
        return (*self.email[:1], *self.phone[:1])


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionLine:
    """One line of a condition file."""

    line: int
    whose: Whose
    kind: ConditionKind
    ref: str
    valid_from: datetime
    valid_to: datetime | None
    purpose: PurposeKey | None


class _Unreadable(ValueError):
    """A cell says something that a line cannot say; it names its column first."""


W = TypeVar("W", bound=StrEnum)
Cells = Mapping[str, str]
Line = PermissionLine | ConditionLine


def read_permissions(
    text: str, frame: Frame
) -> tuple[tuple[PermissionLine, ...], tuple[Problem, ...]]:
    """Read a permission file completely, so that all its problems are told at once."""
    lines: list[PermissionLine] = []
    problems: list[Problem] = []
    for number, cells in _cells(text, PERMISSION_COLUMNS, problems):
        try:
            lines.append(_permission_line(number, cells, frame))
        except _Unreadable as error:
            problems.append(_problem(number, error))
    return tuple(lines), tuple(problems)


def read_conditions(
    text: str, frame: Frame
) -> tuple[tuple[ConditionLine, ...], tuple[Problem, ...]]:
    """Read a condition file completely, so that all its problems are told at once."""
    lines: list[ConditionLine] = []
    problems: list[Problem] = []
    for number, cells in _cells(text, CONDITION_COLUMNS, problems):
        try:
            lines.append(_condition_line(number, cells, frame))
        except _Unreadable as error:
            problems.append(_problem(number, error))
    return tuple(lines), tuple(problems)


def _cells(
    text: str, columns: Sequence[str], problems: list[Problem]
) -> Iterator[tuple[int, Cells]]:
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    # Spreadsheets write semicolons where the comma is the decimal sign.
    delimiter = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        problems.extend(_header_problems(names, columns))
        if problems:
            return
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                what = f"has {len(cells)} cells, the header has {len(names)}"
                problems.append(Problem(line=reader.line_num, column="", what=what))
                continue
            yield reader.line_num, dict(zip(names, map(str.strip, cells), strict=True))
    except csv.Error as error:
        problems.append(Problem(line=reader.line_num, column="", what=f"is not CSV: {error}"))


def _header_problems(names: Sequence[str], columns: Sequence[str]) -> Iterator[Problem]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(line=1, column=name, what="is there twice")
    for name in sorted(set(names) - set(columns)):
        yield Problem(line=1, column=name, what=f"is not one of: {', '.join(columns)}")
    for name in _REQUIRED[tuple(columns)]:
        if name not in names:
            yield Problem(line=1, column=name, what="is missing")


def _problem(number: int, error: _Unreadable) -> Problem:
    column, what = error.args
    return Problem(line=number, column=column, what=what)


def _permission_line(number: int, cells: Cells, frame: Frame) -> PermissionLine:
    _refuse_addresses(cells)
    told = _word(cells, "event", Told)
    grade = Grade[cells["evidence_grade"]] if _is_grade(cells) else Grade.NONE
    reference = cells.get("evidence_ref") or None
    kind = cells.get("evidence_kind") or None
    return PermissionLine(
        line=number,
        whose=_whose(cells, frame),
        told=told,
        use=_use(cells, told, frame.policy),
        happened_at=_past(cells, "happened_at", frame),
        grade=grade,
        trust=_trust(cells, grade),
        evidence_ref=f"{kind}:{reference}" if kind and reference else reference or kind,
        notice_id=_notice(cells, frame.policy),
        effective_to=_moment(cells, "effective_to"),
        capture_source=cells.get("capture_source") or None,
        condition_ref=cells.get("condition_ref") or None,
    )


def _condition_line(number: int, cells: Cells, frame: Frame) -> ConditionLine:
    _refuse_addresses(cells)
    valid_from, valid_to = _moment(cells, "valid_from"), _moment(cells, "valid_to")
    if valid_from is None:
        raise _Unreadable("valid_from", "is missing")
    if valid_to is not None and valid_to <= valid_from:
        raise _Unreadable("valid_to", "is not later than valid_from")
    if not cells["ref"]:
        raise _Unreadable("ref", "is missing")
    purpose = cells.get("purpose") or None
    if purpose is not None and purpose not in frame.policy.purposes:
        raise _Unreadable("purpose", f"{purpose} is not in policy {frame.policy.version}")
    return ConditionLine(
        line=number,
        whose=_whose(cells, frame),
        kind=_word(cells, "kind", ConditionKind),
        ref=cells["ref"],
        valid_from=valid_from,
        valid_to=valid_to,
        purpose=None if purpose is None else PurposeKey(purpose),
    )


def _refuse_addresses(cells: Cells) -> None:
    for column in _STORED:
        cell = cells.get(column, "")
        if "@" in cell:
            raise _Unreadable(column, "holds an address; name where the proof is kept instead")
        if len(cell) > _CELL_MAX:
            raise _Unreadable(column, f"has more than {_CELL_MAX} characters")


def _whose(cells: Cells, frame: Frame) -> Whose:
    contact_id = cells.get("contact_id") or None
    whose = Whose(
        contact_id=None if contact_id is None else _contact_id(contact_id),
        email=_points(cells, "email", PointType.EMAIL, frame),
        phone=_points(cells, "phone", PointType.PHONE, frame),
    )
    if contact_id is None and not whose.points:
        raise _Unreadable("contact_id", "is missing, and so are email and phone")
    return whose


def _points(
    cells: Cells, column: str, point_type: PointType, frame: Frame
) -> tuple[ContactPoint, ...]:
    points = under_every_key(
        point_type,
        cells.get(column, ""),
        keys=frame.keys,
        default_country=frame.policy.default_country,
    )
    if points and not points[0].exact:
        raise _Unreadable(column, "cannot be understood")
    return points


def _contact_id(text: str) -> ContactId:
    """Read an id in either length; a long one whose last letters do not fit was mangled on its way."""
    stem = text[:_SHORT_ID]
    if len(text) not in (_SHORT_ID, _LONG_ID) or not (text.isascii() and text.isalnum()):
        raise _Unreadable("contact_id", "is not a Salesforce id of 15 or 18 characters")
    if not stem.startswith("003"):
        raise _Unreadable("contact_id", "is not the id of a Contact, which begins with 003")
    suffix = "".join(
        _ID_SUFFIXES[
            sum(
                1 << place
                for place, char in enumerate(stem[start : start + _ID_GROUP])
                if char.isupper()
            )
        ]
        for start in range(0, _SHORT_ID, _ID_GROUP)
    )
    if text[_SHORT_ID:] not in ("", suffix):
        raise _Unreadable("contact_id", "has lost its capital letters; export it again")
    return ContactId(stem + suffix)


def _use(cells: Cells, told: Told, policy: Policy) -> Use:
    purpose, channel = cells.get("purpose") or ANY_PURPOSE, cells.get("channel") or ANY_CHANNEL
    if told not in STOPPING and ANY_PURPOSE in (purpose, channel):
        raise _Unreadable("purpose", f"{told.value} is about one purpose on one channel")
    if purpose != ANY_PURPOSE and channel == ANY_CHANNEL:
        raise _Unreadable("channel", "is missing; one line for each channel of the purpose")
    if purpose != ANY_PURPOSE and purpose not in policy.purposes:
        raise _Unreadable("purpose", f"{purpose} is not in policy {policy.version}")
    if channel != ANY_CHANNEL and channel not in policy.channels:
        raise _Unreadable("channel", f"{channel} is not in policy {policy.version}")
    return Use(purpose=PurposeKey(purpose), channel=Channel(channel))


def _trust(cells: Cells, grade: Grade) -> Trust:
    """What a file says about its own trust counts only as far as it can show it."""
    asked = cells.get("trust") or Trust.UNVERIFIED_RELAY.name
    if asked not in Trust.__members__:
        raise _Unreadable("trust", f"is not one of: {', '.join(Trust.__members__)}")
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
        raise _Unreadable("evidence_grade", "is not one of: A, B, C, D, NONE")
    return bool(grade)


def _notice(cells: Cells, policy: Policy) -> str | None:
    notice = cells.get("notice_id") or None
    if notice is not None and notice not in policy.notices:
        raise _Unreadable("notice_id", f"{notice} is not in policy {policy.version}")
    return notice


def _past(cells: Cells, column: str, frame: Frame) -> datetime:
    moment = _moment(cells, column)
    if moment is None:
        raise _Unreadable(column, "is missing")
    if moment > frame.at:
        raise _Unreadable(column, "lies in the future")
    return moment


def _moment(cells: Cells, column: str) -> datetime | None:
    text = cells.get(column, "")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _Unreadable(
            column, "is not a moment; write 2026-01-31 or 2026-01-31T09:00:00Z"
        ) from error
    if moment.tzinfo is None:
        if "T" in text or " " in text:
            raise _Unreadable(column, "names no time zone; write 2026-01-31T09:00:00Z")
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def _word(cells: Cells, column: str, words: type[W]) -> W:
    try:
        return words(cells.get(column, "").upper())
    except ValueError as error:
        raise _Unreadable(column, f"is not one of: {', '.join(words)}") from error
