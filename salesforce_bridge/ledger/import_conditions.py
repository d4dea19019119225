"""Reading condition files: lines of CSV become facts that gates ask for, or problems with a line number."""

from dataclasses import dataclass
from datetime import datetime

from salesforce_bridge.ledger.import_cells import (
    CONDITION_COLUMNS,
    Cells,
    Frame,
    Problem,
    Unreadable,
    Whose,
    moment_of,
    problem_of,
    read_cells,
    refuse_addresses,
    whose_of,
    word_of,
)
from salesforce_bridge.permissions.conditions import ConditionKind, SoftOptIn
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.keys import PurposeKey
from salesforce_bridge.permissions.policy import Policy

_REQUIRED = ("kind", "ref", "valid_from")
# What is true of an address, whoever has it; a register of numbers knows no e-mail addresses.
OF_A_POINT = {
    ConditionKind.UNDELIVERABLE: ("email", "phone"),
    ConditionKind.DNC_LISTED: ("phone",),
    ConditionKind.DNC_SCREENED: ("phone",),
}
_YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_SALE = ("sale_ref", "sale_date", "product_family")
_OPT_OUTS = ("optout_offered_at_collection", "optout_in_each_message")


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
    points: tuple[ContactPoint, ...] = ()  # that it is about, if it is about an address at all
    soft_opt_in: SoftOptIn | None = None


def read_conditions(
    text: str, frame: Frame
) -> tuple[tuple[ConditionLine, ...], tuple[Problem, ...]]:
    """Read a condition file completely, so that all its problems are told at once."""
    lines: list[ConditionLine] = []
    problems: list[Problem] = []
    for number, cells in read_cells(text, CONDITION_COLUMNS, _REQUIRED, problems):
        try:
            lines.append(_condition_line(number, cells, frame))
        except Unreadable as error:
            problems.append(problem_of(number, error))
    return tuple(lines), tuple(problems)


def _condition_line(number: int, cells: Cells, frame: Frame) -> ConditionLine:
    refuse_addresses(cells)
    kind = word_of(cells, "kind", ConditionKind)
    valid_from, valid_to = moment_of(cells, "valid_from"), moment_of(cells, "valid_to")
    if valid_from is None:
        raise Unreadable("valid_from", "is missing")
    if valid_to is not None and valid_to <= valid_from:
        raise Unreadable("valid_to", "is not later than valid_from")
    if not cells["ref"]:
        raise Unreadable("ref", "is missing")
    whose = whose_of(cells, frame)
    return ConditionLine(
        line=number,
        whose=whose,
        kind=kind,
        ref=cells["ref"],
        valid_from=valid_from,
        valid_to=valid_to,
        purpose=_purpose_of_condition(cells, kind, frame.policy),
        points=_points_of_condition(kind, whose),
        soft_opt_in=_sale(cells, kind),
    )


def _purpose_of_condition(cells: Cells, kind: ConditionKind, policy: Policy) -> PurposeKey | None:
    purpose = cells.get("purpose") or None
    if purpose is not None and purpose not in policy.purposes:
        raise Unreadable("purpose", f"{purpose} is not in policy {policy.version}")
    if purpose is None and kind is ConditionKind.ART9:
        raise Unreadable("purpose", "is missing; an exception of Art. 9(2) is for one purpose")
    return None if purpose is None else PurposeKey(purpose)


def _points_of_condition(kind: ConditionKind, whose: Whose) -> tuple[ContactPoint, ...]:
    columns = OF_A_POINT.get(kind, ())
    points = tuple(point for column in columns for point in getattr(whose, column)[:1])
    if columns and not points:
        raise Unreadable(columns[-1], f"is missing; {kind.value} is about an address")
    return points


def _sale(cells: Cells, kind: ConditionKind) -> SoftOptIn | None:
    """Read the facts of a sale; if one is missing, the rule is not met, and the line is of no use."""
    told = [name for name in (*_SALE, *_OPT_OUTS) if cells.get(name)]
    if kind is not ConditionKind.SOFT_OPT_IN:
        if told:
            raise Unreadable(told[0], f"belongs to {ConditionKind.SOFT_OPT_IN.value}")
        return None
    for name in (*_SALE, *_OPT_OUTS):
        if not cells.get(name):
            raise Unreadable(name, "is missing; a soft opt-in needs all facts of the sale")
    sale_date = moment_of(cells, "sale_date")
    if sale_date is None:
        raise Unreadable("sale_date", "is missing")
    offered, repeated = (_yes_or_no(cells, name) for name in _OPT_OUTS)
    return SoftOptIn(
        sale_ref=cells["sale_ref"],
        sale_date=sale_date,
        product_family=cells["product_family"],
        optout_offered_at_collection=offered,
        optout_in_each_message=repeated,
    )


def _yes_or_no(cells: Cells, column: str) -> bool:
    answer = _YES_OR_NO.get(cells[column].casefold())
    if answer is None:
        raise Unreadable(column, "is neither yes nor no")
    return answer
