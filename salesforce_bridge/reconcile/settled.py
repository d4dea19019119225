"""Settled people: known, touched by nobody, and shown as they stand; judged once a kind.

Most people in an org were decided about long ago, and nothing has happened since. To see that nothing is to
be done about one of them takes the same gates as for anybody. So people are sorted into kinds, by all that is
held of them and shown about them but who they are and when it was said; the first of a kind is judged like
everybody else, and where nothing came of it but decisions, the same is decided for the rest. Moments differ
within a kind, so for each person it is asked whether one has come, and whether those that are shown are right.
That both ways of judging give the same plan is a law of the tests.
"""

from collections.abc import Callable, Hashable
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.expiry import Clock, clock_of, next_moment
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.stops import Stop, stands
from salesforce_bridge.reconcile import contact_edits, row_edits
from salesforce_bridge.reconcile.closing import quiet_of
from salesforce_bridge.reconcile.facts import (
    ACTIVE,
    Case,
    ContactFields,
    ContactSnapshot,
    Dossier,
    RowFields,
    SubjectRecord,
)
from salesforce_bridge.reconcile.identity import UNKNOWN_JURISDICTION, id_named, jurisdiction_of
from salesforce_bridge.reconcile.intent import Decision
from salesforce_bridge.reconcile.layout import still_the_same
from salesforce_bridge.reconcile.patterns import Decided, pattern_of
from salesforce_bridge.reconcile.sheet import Sheet
from salesforce_bridge.reconcile.standing import TEXT_MAX, TRACES, traces_of, until_words
from salesforce_bridge.reconcile.words import Status
from salesforce_bridge.reconcile.writes import is_quiet

Kind = Hashable


def kind_of(dossier: Dossier, *, policy: Policy, at: datetime) -> Kind | None:
    """Say of which kind somebody is of whom nothing is new; None for everybody else."""
    if len(dossier.cases) != 1 or len(dossier.subjects) != 1 or dossier.suppressions:
        return None
    case, record = dossier.cases[0], dossier.subjects[0]
    if not (_is_settled(record, policy) and _is_untouched(case, record, policy)):
        return None
    clocks = _clocks(record, policy, at)
    ends = None if clocks is None else _ends_shown(case, record, clocks, policy)
    if ends is None:
        return None
    seen, mirror = case.seen, case.mirror
    assert seen is not None, "it is there"
    assert mirror is not None, "it was there before"
    mine = mirror.bridge_set
    points = {point.exact: point.type for point in seen.points}
    return (
        case.read,
        quiet_of(case),
        _RECORD_OF(record),
        _CONTACT_OF(seen),
        _SHOWN_OF(seen.fields),
        _undated(seen.fields.summary, ends),
        (mine, is_quiet(seen, at=at)) if mine else (),
        tuple([_ROW_OF(row.seen.fields) for row in case.rows]),
        tuple(
            [
                (_PERMISSION_OF(each), _tense(each, record, at), points.get(each.point or ""))
                for each in record.permissions.values()
            ]
        ),
        tuple(map(_STOP_OF, record.stops)) if record.stops else (),
        tuple([(_CONDITION_OF(one), *_span_of(one, at)) for one in record.conditions]),
    )


class RollCall:
    """Decides about the settled people of one plan; `judge` is how the first of a kind is judged."""

    def __init__(self, judge: Callable[[Dossier], Sheet], *, salt: str) -> None:
        self._judge = judge
        self._salt = salt
        self._patterns: dict[Kind, tuple[Decided, ...] | None] = {}

    def answer(self, dossier: Dossier, kind: Kind, sheet: Sheet) -> None:
        """Put down what is decided about somebody: the same as about the first of the kind."""
        try:
            pattern = self._patterns[kind]
        except KeyError:
            pattern = self._patterns[kind] = self._pattern_of(dossier)
        if pattern is None:
            sheet.add(self._judge(dossier))
        else:
            sheet.decisions += _decided(dossier, pattern)

    def _pattern_of(self, dossier: Dossier) -> tuple[Decided, ...] | None:
        """Take the pattern from the first of a kind; None if anything came of it but decisions like these."""
        judged = self._judge(dossier)
        pattern = tuple(pattern_of(each, salt=self._salt) for each in judged.decisions)
        alike = Sheet(decisions=_decided(dossier, pattern))
        return pattern if alike == judged else None


def _decided(dossier: Dossier, pattern: tuple[Decided, ...]) -> list[Decision]:
    subject_id, seen = dossier.subjects[0].subject_id, dossier.cases[0].seen
    assert seen is not None, "it was looked at"
    contact_id, join = seen.contact_id, seen.contact_id.join
    own = (subject_id, contact_id, seen.modified_by, seen.modstamp)
    return [Decision._make((id_named(join(each.name)), *own, *each.rest)) for each in pattern]


def _is_settled(record: SubjectRecord, policy: Policy) -> bool:
    """Say whether nothing about a person waits, was judged otherwise before, or is told of others."""
    return (
        _UNSETTLED_OF(record) == _NOTHING
        and record.policy_digest == policy.digest
        and len(record.links) == 1
        and not any(each.point or each.soft_opt_in for each in record.conditions)
    )


def _is_untouched(case: Case, record: SubjectRecord, policy: Policy) -> bool:
    """Say whether a Contact and its rows are there, at home, and as both sides last agreed."""
    seen, agreed, link = case.seen, case.mirror, case.link
    if seen is None or agreed is None or case.asked or case.refused or seen.older:
        return False
    if link is None or link.state != ACTIVE or link.subject_id != record.subject_id:
        return False
    country = seen.country
    place = jurisdiction_of(country, policy) if country else UNKNOWN_JURISDICTION
    return (
        place == record.jurisdiction
        and contact_edits.is_untouched(case, agreed, seen)
        and still_the_same(record, seen)
        and _are_at_home(case, policy)
    )


def _are_at_home(case: Case, policy: Policy) -> bool:
    """Say whether the rows are as both sides know them, and are what their key and their fields say."""
    contact_id, known = case.contact_id, policy.known
    for row in case.rows:
        shown = row.seen.fields
        purpose, channel = shown.purpose, shown.channel
        if (
            row.asked
            or row.seen.deleted
            or (purpose, channel) not in known
            or shown.contact_id != contact_id
            or shown.ledger_key != f"{contact_id}:{purpose}:{channel}"
            or not row_edits.is_untouched(row)
        ):
            return False
    return True


def _clocks(record: SubjectRecord, policy: Policy, at: datetime) -> dict[Use, Clock] | None:
    """Work out the clock of each permission; None if it has struck, or the ledger's index has it wrong."""
    found: dict[Use, Clock] = {}
    for use, permission in record.permissions.items():
        clock = clock_of(permission, person=record, policy=policy)
        due = next_moment(permission, person=record, policy=policy, at=at, clock=clock)
        noted = permission.prompted_at is not None
        if noted or due != record.due.get(use) or clock.over_since(at) or clock.reached(at):
            return None
        found[use] = clock
    return found


def _ends_shown(
    case: Case, record: SubjectRecord, clocks: dict[Use, Clock], policy: Policy
) -> list[tuple[str, datetime]] | None:
    """List the ends that a Contact speaks of, by channel; None if it does not show the first of them, or a
    row tells of another yes than its own."""
    ends: list[tuple[str, datetime]] = []
    for row in case.rows:
        shown = row.seen.fields
        grant: Permission | None = None
        end: datetime | None = None
        if shown.consent_status == Status.PERMITTED:
            use = policy.known[shown.purpose or "", shown.channel or ""]
            grant = record.permissions.get(use)
            end = clocks[use].own_end if grant is not None else None
            if shown.effective_to is not None and use.purpose == policy.headline:
                ends.append((use.channel, shown.effective_to))
        if _TRACES_OF(shown) != traces_of(grant, end):
            return None
    seen, first = case.seen, min([end for _, end in ends], default=None)
    return ends if seen is not None and seen.fields.valid_until == first else None


def _undated(summary: str | None, ends: list[tuple[str, datetime]]) -> str | None:
    """Put in a summary, for each end that it tells of, what ends then; where it was cut short, dates count."""
    if summary is None or len(summary) >= TEXT_MAX:
        return summary
    ending: dict[str, str] = {}
    for channel, end in ends:
        words = until_words(end)
        ending[words] = f"{ending.get(words, ' until')} {channel}"
    for words, channels in ending.items():
        summary = summary.replace(words, channels)
    return summary


def _tense(permission: Permission, record: SubjectRecord, at: datetime) -> tuple[bool, ...]:
    """Say of the moments of a permission what does not depend on which moments they are."""
    begun = permission.effective_from is None or permission.effective_from <= at
    return (
        begun,
        permission.point is None,
        permission.stopped_at is None,
        permission.lifted_at is None,
        *[stands(stop, permission.lifted_at) for stop in record.stops],
    )


def _span_of(one: Condition, at: datetime) -> tuple[bool, bool]:
    return one.valid_from <= at, one.valid_to is not None and one.valid_to <= at


def _all_but(kind: type[Any], *own: str) -> Callable[[Any], tuple[Any, ...]]:
    """Read all fields but those that people of one kind need not have in common: a new one is compared."""
    return attrgetter(*[each.name for each in fields(kind) if each.name not in own])


_UNSETTLED = ("candidates", "suppressions", "cases", "former_jurisdiction", "moved_at")
_UNSETTLED_OF = attrgetter(*_UNSETTLED)
_NOTHING = ((), (), (), None, None)
_TRACES_OF = attrgetter(*TRACES)
_RECORD_OF = _all_but(
    SubjectRecord,
    *("subject_id", "revision", "permissions", "stops", "conditions", "points", "links", "due"),
    *_UNSETTLED,
)
_CONTACT_OF = _all_but(
    ContactSnapshot,
    *("contact_id", "modstamp", "points", "country", "fields", "modified_by"),
    *("older", "individual", "lead"),  # as agreed
)
_SHOWN_OF = _all_but(ContactFields, "summary", "valid_until", "decision")
_ROW_OF = _all_but(
    RowFields,
    *("contact_id", "ledger_key", *TRACES, "ledger_revision", "ledger_digest", "reconciled_at"),
)
_PERMISSION_OF = _all_but(
    Permission,
    *("revision", "since", "stopped_at", "lifted_at", "effective_from", "effective_to"),
    *("granted_at", "capture_source", "evidence_ref", "point", "condition_ref"),
    *("reaffirm_by", "prompted_at"),
)
_STOP_OF = _all_but(Stop, "since", "revision")
_CONDITION_OF = _all_but(Condition, "id", "subject_id", "valid_from", "valid_to")
