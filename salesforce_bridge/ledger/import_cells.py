"""Reading the cells of import files: who a line is about, when, and whether it can be understood at all."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from salesforce_bridge.permissions.contact_points import (
    ContactPoint,
    PointKeys,
    PointType,
    under_every_key,
)
from salesforce_bridge.permissions.keys import ContactId, OrgId
from salesforce_bridge.permissions.policy import Policy

PERMISSION_COLUMNS = (
    *("contact_id", "email", "phone", "purpose", "channel", "event", "happened_at"),
    *("evidence_grade", "evidence_kind", "evidence_ref", "notice_id"),
    *("trust", "approved_by", "verified_by", "effective_to", "capture_source", "condition_ref"),
)
CONDITION_COLUMNS = (
    *("contact_id", "email", "phone", "kind", "ref", "valid_from", "valid_to", "purpose"),
    *("sale_ref", "sale_date", "product_family"),
    *("optout_offered_at_collection", "optout_in_each_message"),
)
# Cells that are stored as they are; an address has no business there.
_STORED = (
    *("evidence_kind", "evidence_ref", "capture_source", "condition_ref", "ref"),
    *("sale_ref", "product_family"),
)
_CELL_MAX = 200
_SHORT_ID, _LONG_ID, _ID_GROUP = 15, 18, 5
_ID_SUFFIXES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


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


class Unreadable(ValueError):
    """A cell says something that a line cannot say; it names its column first."""


W = TypeVar("W", bound=StrEnum)
Cells = Mapping[str, str]


def read_cells(
    text: str, columns: Sequence[str], required: Sequence[str], problems: list[Problem]
) -> Iterator[tuple[int, Cells]]:
    """Read the cells of each line by their columns; what is wrong with the file joins the problems."""
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    # Spreadsheets write semicolons where the comma is the decimal sign.
    delimiter = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        problems.extend(_header_problems(names, columns, required))
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


def _header_problems(
    names: Sequence[str], columns: Sequence[str], required: Sequence[str]
) -> Iterator[Problem]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(line=1, column=name, what="is there twice")
    for name in sorted(set(names) - set(columns)):
        yield Problem(line=1, column=name, what=f"is not one of: {', '.join(columns)}")
    for name in required:
        if name not in names:
            yield Problem(line=1, column=name, what="is missing")


def problem_of(number: int, error: Unreadable) -> Problem:
    """Say what is wrong with a line."""
    column, what = error.args
    return Problem(line=number, column=column, what=what)


def refuse_addresses(cells: Cells) -> None:
    """Refuse an address where it would be stored as it is."""
    for column in _STORED:
        cell = cells.get(column, "")
        if "@" in cell:
            raise Unreadable(column, "holds an address; name where the proof is kept instead")
        if len(cell) > _CELL_MAX:
            raise Unreadable(column, f"has more than {_CELL_MAX} characters")


def whose_of(cells: Cells, frame: Frame) -> Whose:
    """Read who a line is about."""
    contact_id = cells.get("contact_id") or None
    whose = Whose(
        contact_id=None if contact_id is None else _contact_id(contact_id),
        email=_points(cells, "email", PointType.EMAIL, frame),
        phone=_points(cells, "phone", PointType.PHONE, frame),
    )
    if contact_id is None and not whose.points:
        raise Unreadable("contact_id", "is missing, and so are email and phone")
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
        raise Unreadable(column, "cannot be understood")
    return points


def _contact_id(text: str) -> ContactId:
    """Read an id in either length; a long one whose last letters do not fit was mangled on its way."""
    stem = text[:_SHORT_ID]
    if len(text) not in (_SHORT_ID, _LONG_ID) or not (text.isascii() and text.isalnum()):
        raise Unreadable("contact_id", "is not a Salesforce id of 15 or 18 characters")
    if not stem.startswith("003"):
        raise Unreadable("contact_id", "is not the id of a Contact, which begins with 003")
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
        raise Unreadable("contact_id", "has lost its capital letters; export it again")
    return ContactId(stem + suffix)


def past_of(cells: Cells, column: str, frame: Frame) -> datetime:
    """Read a moment that has to be there and to be over."""
    moment = moment_of(cells, column)
    if moment is None:
        raise Unreadable(column, "is missing")
    if moment > frame.at:
        raise Unreadable(column, "lies in the future")
    return moment


def moment_of(cells: Cells, column: str) -> datetime | None:
    """Read a moment; a day is its midnight in UTC."""
    text = cells.get(column, "")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable(
            column, "is not a moment; write 2026-01-31 or 2026-01-31T09:00:00Z"
        ) from error
    if moment.tzinfo is None:
        if "T" in text or " " in text:
            raise Unreadable(column, "names no time zone; write 2026-01-31T09:00:00Z")
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def word_of(cells: Cells, column: str, words: type[W]) -> W:
    """Read one of some words."""
    try:
        return words(cells.get(column, "").upper())
    except ValueError as error:
        raise Unreadable(column, f"is not one of: {', '.join(words)}") from error
