"""Newcomers: people of whom nothing is known and on whose record nothing is written, judged once a kind.

When the bridge looks at an org for the first time, nearly everybody in it is somebody whom nobody ever asked
anything. What comes of such a person depends on where they are, and on nothing else but who it is. So the
first of a kind is judged like everybody else, and what came of that is the pattern for the rest. That both
ways of judging give the same plan is a law of the tests.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

from salesforce_bridge.permissions.keys import OrgId
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reconcile.facts import (
    ContactFields,
    ContactSnapshot,
    Dossier,
    Link,
    RowFields,
)
from salesforce_bridge.reconcile.identity import id_named, jurisdiction_of, new_subject_id
from salesforce_bridge.reconcile.intent import (
    Decision,
    NewSubject,
    PointChange,
    PointMove,
    Target,
    Value,
    Write,
)
from salesforce_bridge.reconcile.patterns import Decided, Gapped, pattern_of
from salesforce_bridge.reconcile.row_edits import TRACKED
from salesforce_bridge.reconcile.sheet import Sheet
from salesforce_bridge.reconcile.standing import digest_named, name_of_row
from salesforce_bridge.reconcile.writes import name_of_write


def is_newcomer(dossier: Dossier) -> bool:
    """Say whether a dossier is that of one living Contact which nobody has met, and which says nothing."""
    if dossier.subjects or dossier.suppressions or len(dossier.cases) != 1:
        return False
    case = dossier.cases[0]
    if case.seen is None or _KNOWN_OF(case) != _NOTHING:
        return False
    return _SAID_ON(case.seen) == _NO_WORD


class Reception:
    """Receives the newcomers of one plan; `judge` is how anybody is judged who shares nothing with others."""

    def __init__(
        self, judge: Callable[[Dossier], Sheet], *, org_id: OrgId, policy: Policy, salt: str
    ) -> None:
        self._judge = judge
        self._org_id = org_id
        self._policy = policy
        self._salt = salt
        self._patterns: dict[str | None, _Pattern | None] = {}

    def receive(self, dossier: Dossier, sheet: Sheet) -> None:
        """Put down what comes of a newcomer: the same as came of the first of the kind."""
        seen = dossier.cases[0].seen
        assert seen is not None, "a newcomer is there"
        kind = jurisdiction_of(seen.country, self._policy) if seen.country else None
        if kind not in self._patterns:
            self._patterns[kind] = self._pattern_of(dossier, seen)
        pattern = self._patterns[kind]
        if pattern is None:
            sheet.add(self._judge(dossier))
        else:
            self._follow(pattern, seen, sheet)

    def _pattern_of(self, dossier: Dossier, seen: ContactSnapshot) -> "_Pattern | None":
        """Take the pattern from the first of a kind; None if more came of it than the pattern gives back."""
        judged = self._judge(dossier)
        if len(judged.subjects) != 1 or len(judged.links) != 1:
            return None
        pattern = _pattern(judged, salt=self._salt)
        again = Sheet()
        self._follow(pattern, seen, again)
        return pattern if again == judged else None

    def _follow(self, pattern: "_Pattern", seen: ContactSnapshot, sheet: Sheet) -> None:
        contact_id, actor, stamp = seen.contact_id, seen.modified_by, seen.modstamp
        subject_id = new_subject_id(contact_id, org_id=self._org_id)
        ids = [id_named(contact_id.join(each.name)) for each in pattern.decisions]
        for decided, decision_id in zip(pattern.decisions, ids, strict=True):
            own = (decision_id, subject_id, contact_id, actor, stamp)
            sheet.decisions.append(Decision._make(own + decided.rest))
        for written in pattern.writes:
            decision_id = ids[written.decided]
            told = written.fields.copy()
            if written.key is None:
                record_id, key = contact_id, None
                told["decision"] = decision_id
            else:
                record_id, key = None, contact_id.join(written.key)
                told["contact_id"] = contact_id
                told["ledger_key"] = key
                told["ledger_digest"] = digest_named(contact_id.join(written.row))
            write_id = id_named(contact_id.join(written.name))
            mine = (write_id, contact_id, record_id, key, told, decision_id, subject_id)
            sheet.writes.append(Write._make(mine + written.rest))
        sheet.subjects.append(pattern.subject(subject_id=subject_id))
        sheet.links.append(pattern.link(subject_id=subject_id, contact_id=contact_id))
        for point in seen.points:
            change = PointChange(subject_id=subject_id, point=point, move=PointMove.REGISTER)
            sheet.points.append(change)


_KNOWN_OF = attrgetter("link", "mirror", "rows", "asked", "refused", "read")
_NOTHING = (None, None, (), (), (), True)
_SAID_ON = attrgetter(
    "deleted",
    "master_id",
    "opted_out_of_email",
    "opted_out_of_fax",
    "do_not_call",
    "bridge_set",
    "older",
    "individual",
    "lead",
    "campaigned",
    "fields",
)
_NO_WORD = (False, None, False, False, False, (), (), None, None, None, ContactFields())


class _Written(NamedTuple):
    """One write, but for whose record it goes to."""

    name: Gapped  # what its id is made of
    decided: int  # which of the decisions is behind it
    key: Gapped | None  # of a row; None: it goes to the Contact
    row: Gapped  # what the digest of the row is made of
    fields: dict[str, Value]
    rest: tuple[Any, ...]  # all that comes after what is of one person alone


# Id, Contact, record, key, fields, decision and subject.
_OWN_OF_WRITE = Write._fields.index("lane")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pattern:
    """All that comes of a newcomer, but for who it is."""

    decisions: tuple[Decided, ...]
    writes: tuple[_Written, ...]
    subject: Callable[..., NewSubject]
    link: Callable[..., Link]


def _pattern(judged: Sheet, *, salt: str) -> _Pattern:
    ids = [each.id for each in judged.decisions]
    return _Pattern(
        decisions=tuple(pattern_of(each, salt=salt) for each in judged.decisions),
        writes=tuple(
            _written(each, decided=ids.index(each.decision_id), salt=salt)
            for each in judged.writes
            if each.target is not Target.CAMPAIGN_MEMBER
        ),
        subject=_like(judged.subjects[0], but=("subject_id",)),
        link=_like(judged.links[0], but=("subject_id", "contact_id")),
    )


def _written(write: Write, *, decided: int, salt: str) -> _Written:
    contact_id, told = write.contact_id, dict(write.fields)
    shown: dict[str, Any] = {name: told[name] for name in TRACKED if name in told}
    name = name_of_write(
        salt, write.verb, write.target, write.record_id, write.ledger_key, write.fields
    )
    return _Written(
        name=name.split(contact_id),
        decided=decided,
        key=write.ledger_key.split(contact_id) if write.ledger_key is not None else None,
        row=name_of_row(RowFields(**shown)).split(contact_id),
        fields=told,
        rest=write[_OWN_OF_WRITE:],
    )


def _like(made: Any, *, but: tuple[str, ...]) -> Callable[..., Any]:
    """Make more of the same, except for some fields."""
    kept = {each.name: getattr(made, each.name) for each in fields(made) if each.name not in but}
    kind: Callable[..., Any] = type(made)
    return partial(kind, **kept)
