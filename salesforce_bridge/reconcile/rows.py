"""Rows: whose each permission row is, what it is about, and which of several for one thing stays."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from salesforce_bridge.permissions.keys import ContactId, Use
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import Case, RowCase
from salesforce_bridge.reconcile.row_edits import UNMAPPED, key_contact, key_of, uses_of

RowsByUse = Mapping[Use, tuple[RowCase, ...]]


def rows_at_home(
    cases: Iterable[Case], *, alive: Collection[ContactId], policy: Policy
) -> Mapping[ContactId, RowsByUse]:
    """Sort living rows by the Contact they belong to: the one they were made for while it lives, whoever
    moved them since, else the one they hang on; and by what they are about, the one to keep first."""
    homes: dict[ContactId, dict[Use, list[RowCase]]] = defaultdict(lambda: defaultdict(list))
    for case in cases:
        for row in case.rows:
            use = uses_of(row, policy=policy)[0]
            if row.seen.deleted or use is UNMAPPED:
                continue
            made_for = key_contact(key_of(row))
            home = made_for if made_for is not None and made_for in alive else case.contact_id
            homes[home][use].append(row)
    return {
        home: {
            use: tuple(rows if len(rows) == 1 else sorted(rows, key=lambda row: _rank(row, home)))
            for use, rows in by_use.items()
        }
        for home, by_use in homes.items()
    }


def uses_told_by_rows(
    cases: Iterable[Case], *, policy: Policy
) -> Mapping[ContactId, frozenset[Use]]:
    """Name the uses that the rows of each Contact speak of, the deleted ones too."""
    return {
        case.contact_id: frozenset(
            use for row in case.rows for use in uses_of(row, policy=policy) if use is not UNMAPPED
        )
        for case in cases
        if case.rows
    }


def _rank(row: RowCase, home: ContactId) -> tuple[bool, bool, int, str]:
    key, fields = key_of(row), row.seen.fields
    return (
        key_contact(key) != home,
        key is None,
        -(fields.ledger_revision or 0),
        row.seen.row_id,
    )
