"""Strangers: what is already written on the records of somebody the ledger has not met."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.contact_edits import SAYS_YES_OR_NO, written_on
from salesforce_bridge.reconcile.facts import Case, ContactSnapshot, RowCase, RowFields
from salesforce_bridge.reconcile.findings import Finding, Situation
from salesforce_bridge.reconcile.intent import Value
from salesforce_bridge.reconcile.row_edits import key_contact, uses_of
from salesforce_bridge.reconcile.standing import digest_of
from salesforce_bridge.reconcile.words import Request, Status

# What only the bridge writes on a row. The key is not among them: it names a row and says nothing.
_RESULTS = (
    "lawful_basis",
    "effective_from",
    "effective_to",
    "capture_date",
    "capture_source",
    "notice_version",
    "evidence_ref",
    "reason_code",
    "renew_by",
)
_NEITHER = frozenset({Status.ASKED.value, Status.LIMITED.value, Status.LAPSED.value})
_REQUESTS = frozenset(each.value for each in Request)


def first_sights(bench: Bench, case: Case) -> Iterator[Finding]:
    """Name what is found on a Contact that nobody knows, and its rows, beside stops and claims: the writing
    of a bridge that this ledger knows nothing of, or results that somebody filled in."""
    seen = case.seen
    if case.link is not None or seen is None or seen.deleted:
        return
    if bench.owners[case.contact_id] not in bench.met:
        return  # created again, or told of before: the ledger knows whose it is
    on_rows = tuple(_on_rows(bench, case)) if case.rows else ()
    yield from on_rows
    if not any(each.unknown for each in on_rows):
        yield from _on_contact(bench, case, seen)


def unknown_echo(findings: Iterable[Finding]) -> str | None:
    """Say in words why nothing but stops may be written: a bridge has been here that this ledger knows
    nothing of. None if there was none."""
    rows = {each.row_id for each in findings if each.unknown}
    if not rows:
        return None
    many = "1 row was" if len(rows) == 1 else f"{len(rows)} rows were"
    return f"{many} written by a bridge but not under this ledger: was it restored, or is there a second bridge?"


def is_written_by_a_bridge(row: RowCase, case: Case) -> bool:
    """Say whether a row is, field for field, what a bridge wrote for this very Contact."""
    fields = row.seen.fields
    return (
        fields.ledger_revision is not None
        and fields.ledger_digest is not None
        and key_contact(fields.ledger_key) == case.contact_id
        and fields.ledger_digest == digest_of(fields)
    )


def _on_rows(bench: Bench, case: Case) -> Iterator[Finding]:
    for row in case.rows:
        if row.mirror is not None or row.asked or row.seen.deleted:
            continue
        if is_written_by_a_bridge(row, case):
            yield _on_row(bench, case, row, Situation.S02_OWN_ECHO, {})
        elif (filled := _filled(row)) and row.seen.request not in _REQUESTS:
            yield _on_row(bench, case, row, Situation.S11_CRM_METADATA_EDIT, filled)


def _on_contact(bench: Bench, case: Case, seen: ContactSnapshot) -> Iterator[Finding]:
    fields = written_on(seen)
    if not fields or seen.fields.consent_status in SAYS_YES_OR_NO:
        return
    headline = bench.policy.purposes[bench.policy.headline]
    for channel in headline.channels:
        yield Finding(
            situation=Situation.S11_CRM_METADATA_EDIT,
            contact_id=case.contact_id,
            use=Use(purpose=headline.key, channel=channel),
            stamp=seen.modstamp,
            actor=seen.modified_by,
            observed=fields,
        )


def _filled(row: RowCase) -> dict[str, tuple[Value, Value]]:
    fields: RowFields = row.seen.fields
    status = fields.consent_status
    if status in SAYS_YES_OR_NO:
        return {}
    filled: dict[str, tuple[Value, Value]] = {
        name: (None, value) for name in _RESULTS if (value := getattr(fields, name)) is not None
    }
    return filled | ({"consent_status": (None, status)} if status in _NEITHER else {})


def _on_row(
    bench: Bench,
    case: Case,
    row: RowCase,
    situation: Situation,
    observed: dict[str, tuple[Value, Value]],
) -> Finding:
    finding = Finding(
        situation=situation,
        contact_id=case.contact_id,
        use=uses_of(row, policy=bench.policy)[0],
        row_id=row.seen.row_id,
        stamp=row.seen.modstamp,
        actor=row.seen.modified_by,
        observed=observed,
    )
    return replace(finding, unknown=situation is Situation.S02_OWN_ECHO)
