"""Writes: the difference between what Salesforce should hold and what it holds. There is no other kind."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.states import NEUTRAL, State
from salesforce_bridge.reconcile.bench import Bench, is_linked
from salesforce_bridge.reconcile.classes import is_marketing, is_stopped
from salesforce_bridge.reconcile.contact_edits import FLAG_FIELDS, RESULTS, channels_of
from salesforce_bridge.reconcile.facts import (
    Case,
    ContactFields,
    ContactSnapshot,
    RowCase,
    RowFields,
)
from salesforce_bridge.reconcile.identity import id_named, name_of
from salesforce_bridge.reconcile.intent import Lane, Target, Value, Verb, Write
from salesforce_bridge.reconcile.row_edits import (
    TRACKED,
    TRACKED_OF,
    UNMAPPED,
    is_known,
    key_of,
    uses_of,
)
from salesforce_bridge.reconcile.rows import RowsByUse
from salesforce_bridge.reconcile.silences import Silences
from salesforce_bridge.reconcile.standing import (
    Standing,
    contact_fields,
    digest_of,
    flags_wanted,
    is_lifted,
    row_fields,
)
from salesforce_bridge.reconcile.uses import uses_told_with
from salesforce_bridge.reconcile.words import Request, Status

# A flag is cleared only on a record that nobody touched a moment ago: stamps have second precision.
_QUIET = timedelta(seconds=5)
_OPEN = frozenset({Status.PERMITTED.value, Status.PARTLY_PERMITTED.value})
_REQUESTS = frozenset(each.value for each in Request)
_EMPTY_ROW = RowFields()
_SHOWN = tuple(dict.fromkeys((*RESULTS, "renew_by")))
_SHOWN_OF = attrgetter(*_SHOWN)
_UNMAPPABLE = "PERM_UNMAPPABLE_HELD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """What one Contact needs: its standings, and the writes that bring Salesforce there."""

    standings: tuple[Standing, ...]
    writes: tuple[Write, ...]


NOTHING_TO_WRITE = Drafted(standings=(), writes=())


def writes_for(
    bench: Bench,
    case: Case,
    *,
    revision: int,
    author: Callable[[Use | None], str],
    salt: str,
    silences: Silences,
) -> Drafted:
    """Draft what one Contact and its rows need; nothing for a Contact that is gone or nobody's.

    `author` names the decision behind a use, and for None the one behind the Contact.
    """
    seen = case.seen
    link = bench.link_of(case.contact_id)
    if seen is None or seen.deleted or link is None or not is_linked(link):
        return NOTHING_TO_WRITE
    record, rows = bench.record_of(case.contact_id), bench.rows.get(case.contact_id, {})
    uses = uses_told_with(bench.policy, record.permissions, rows)
    standings = silences.standings(
        record,
        [use for use in uses if is_known(use, bench.policy)],
        contact=seen,
        state=link.state,
    )
    pen = _Pen(bench=bench, case=case, revision=revision, author=author, salt=salt)
    writes = (*_to_contact(pen, seen, standings), *_to_rows(pen, standings, rows))
    if case.rows:
        writes += (*_to_unmapped(pen),)
    if any(each.renew_by is not None for each in standings):
        writes += (*_to_campaign(pen, standings),)
    return Drafted(standings=standings, writes=writes)


def name_of_write(
    salt: str,
    verb: Verb,
    target: Target,
    record_id: str | None,
    ledger_key: str | None,
    fields: Iterable[str],
) -> str:
    """Put together what the id of a write names."""
    return name_of("write", salt, verb, target, record_id, ledger_key, *sorted(fields))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pen:
    """What every write of one Contact has in common."""

    bench: Bench
    case: Case
    revision: int
    author: Callable[[Use | None], str]
    salt: str

    def write(
        self,
        *,
        lane: Lane,
        verb: Verb,
        target: Target,
        record_id: str | None,
        fields: Mapping[str, Value],
        use: Use | None,
        ledger_key: str | None = None,
        unmodified_since: datetime | None = None,
    ) -> Write:
        contact_id = self.case.contact_id
        return Write(
            id=id_named(name_of_write(self.salt, verb, target, record_id, ledger_key, fields)),
            lane=lane,
            verb=verb,
            target=target,
            contact_id=contact_id,
            record_id=record_id,
            ledger_key=ledger_key,
            fields=fields,
            decision_id=self.author(use),
            subject_id=self.bench.owners[contact_id],
            unmodified_since=unmodified_since,
        )


def _to_contact(
    pen: _Pen, seen: ContactSnapshot, standings: tuple[Standing, ...]
) -> Iterator[Write]:
    policy = pen.bench.policy
    record = pen.bench.record_of(pen.case.contact_id)
    # A row that is about to go, and that nothing else speaks of, is told about no longer.
    shown = tuple(
        each
        for each in standings
        if each.use.purpose == policy.headline
        and not (each.erased and each.use.channel not in policy.purposes[policy.headline].channels)
    )
    wanted = contact_fields(shown, policy=policy)
    changed = _differences(_SHOWN, _SHOWN_OF(wanted), _SHOWN_OF(seen.fields))
    flags = {
        **flags_wanted(record, policy=policy, at=pen.bench.at),
        **dict.fromkeys(_fallen_back_to(pen), True),
    }
    raised: dict[str, Value] = {
        name: True for name in FLAG_FIELDS if flags[name] and not getattr(seen, name)
    }
    stopped = any(each.status is Status.STOPPED for each in shown)
    lane = _lane_of_contact(wanted, seen.fields, stopped=stopped or bool(raised))
    # A flag never waits for what is opened elsewhere on the same Contact.
    together = lane is not Lane.LOOSEN_CONTACT
    asked = ((lane, changed | raised),) if together else ((Lane.STOP, raised), (lane, changed))
    for urgency, fields in asked:
        if fields:
            yield pen.write(
                lane=urgency,
                verb=Verb.UPDATE,
                target=Target.CONTACT,
                record_id=seen.contact_id,
                fields={**fields, "decision": pen.author(None)},
                use=None,
            )
    mirror = pen.case.mirror
    mine = mirror.bridge_set if mirror is not None else ()
    for name in mine if is_quiet(seen, at=pen.bench.at) else ():
        lowered = getattr(seen, name) and not flags[name]
        if lowered and is_lifted(record, name, policy=policy, at=pen.bench.at):
            yield pen.write(
                lane=Lane.LOOSEN_CONTACT,
                verb=Verb.CLEAR_FLAG,
                target=Target.CONTACT,
                record_id=seen.contact_id,
                fields={name: False},
                use=None,
                unmodified_since=seen.modstamp,
            )


def is_quiet(seen: ContactSnapshot, *, at: datetime) -> bool:
    """Say whether nobody can have touched a Contact since its stamp without showing it."""
    return at - seen.modstamp > _QUIET


def _fallen_back_to(pen: _Pen) -> Iterator[str]:
    """Name the flags that say no in the place of rows on which Salesforce did not take it."""
    policy, at = pen.bench.policy, pen.bench.at
    record = pen.bench.record_of(pen.case.contact_id)
    for write in pen.case.refused:
        use = write.use
        if use is None or not (write.stop and is_marketing(record, use, policy=policy)):
            continue
        if is_stopped(record, use, policy=policy, at=at):
            yield from (
                name
                for name, flag in FLAG_FIELDS.items()
                if use.channel in channels_of(flag, policy)
            )


def _to_rows(pen: _Pen, standings: tuple[Standing, ...], rows: RowsByUse) -> Iterator[Write]:
    for standing in standings:
        found = rows.get(standing.use, ())
        kept, surplus = (found[0] if found else None), found[1:]
        if kept is not None and standing.erased and _is_forgotten(pen, standing):
            surplus = found
        elif kept is not None or _deserves_a_row(pen, standing):
            yield from _to_row(pen, standing, kept)
        for row in surplus:
            yield pen.write(
                lane=Lane.TIGHTEN,
                verb=Verb.DELETE,
                target=Target.ROW,
                record_id=row.seen.row_id,
                fields={},
                use=standing.use,
            )


def _is_forgotten(pen: _Pen, standing: Standing) -> bool:
    """Say whether a row tells of a person who was erased; one of somebody else at a silent address stays."""
    permission = standing.permission
    erased = permission is not None and permission.state is State.ERASED
    return erased or pen.bench.record_of(pen.case.contact_id).erased


def _to_unmapped(pen: _Pen) -> Iterator[Write]:
    """Mark rows that name no use the policy knows; what was typed on them stays for whoever corrects it."""
    erased = pen.bench.record_of(pen.case.contact_id).erased
    for row in pen.case.rows:
        seen = row.seen
        if seen.deleted or uses_of(row, policy=pen.bench.policy)[0] is not UNMAPPED:
            continue
        changed = _mark_of(seen.fields)
        if changed or erased:
            yield pen.write(
                lane=Lane.TIGHTEN,
                verb=Verb.DELETE if erased else Verb.UPDATE,
                target=Target.ROW,
                record_id=seen.row_id,
                fields={} if erased else changed,
                use=None,
            )


def _mark_of(now: RowFields) -> Mapping[str, Value]:
    """Say what to write on a row that cannot be understood; one that says no goes on saying it."""
    changed: dict[str, Value] = {}
    if now.consent_status not in (Status.STOPPED, Status.LIMITED):
        changed["consent_status"] = Status.LIMITED.value
    if now.reason_code != _UNMAPPABLE:
        changed["reason_code"] = _UNMAPPABLE
    return changed


def _to_campaign(pen: _Pen, standings: tuple[Standing, ...]) -> Iterator[Write]:
    """Add a Contact to the Campaign of those who are asked to renew, once for each end."""
    purposes = pen.bench.policy.purposes
    prompted = sorted(
        (each.renew_by, campaign)
        for each in standings
        if each.renew_by is not None
        and (campaign := purposes[each.use.purpose].renewal_campaign) is not None
    )
    if not prompted:
        return
    (end, campaign), mirror = prompted[0], pen.case.mirror
    told = f"{campaign}:{end:%Y-%m-%d}"
    if mirror is None or mirror.campaigned != told:
        yield pen.write(
            lane=Lane.TIGHTEN,
            verb=Verb.INSERT,
            target=Target.CAMPAIGN_MEMBER,
            record_id=None,
            ledger_key=told,
            fields={"campaign_id": campaign, "contact_id": pen.case.contact_id},
            use=None,
        )


def _to_row(pen: _Pen, standing: Standing, kept: RowCase | None) -> Iterator[Write]:
    record = pen.bench.record_of(pen.case.contact_id)
    row = kept.seen if kept is not None else None
    wanted = row_fields(
        standing,
        contact_id=pen.case.contact_id,
        ledger_key=key_of(kept) if kept is not None else None,
        marketing=is_marketing(record, standing.use, policy=pen.bench.policy),
    )
    now = row.fields if row is not None else _EMPTY_ROW
    changed = _differences(TRACKED, TRACKED_OF(wanted), TRACKED_OF(now))
    if row is not None and row.request in _REQUESTS:
        changed |= {"request": None, "request_handled": row.request}
    if not changed:
        return
    changed |= {
        "ledger_revision": pen.revision,
        "ledger_digest": digest_of(wanted),
        "reconciled_at": pen.bench.at,
    }
    yield pen.write(
        lane=_lane_of_row(wanted, now),
        verb=Verb.UPDATE if row is not None else Verb.UPSERT,
        target=Target.ROW,
        record_id=row.row_id if row is not None else None,
        ledger_key=wanted.ledger_key if row is None else None,
        fields=changed,
        use=standing.use,
    )


def _differences(
    names: tuple[str, ...], wanted: tuple[Value, ...], now: tuple[Value, ...]
) -> dict[str, Value]:
    """Name what has to be written; mostly both sides are the same."""
    if wanted == now:
        return {}
    sides = zip(names, wanted, now, strict=True)
    return {name: value for name, value, was in sides if value != was}


def _deserves_a_row(pen: _Pen, standing: Standing) -> bool:
    """Everybody has a row for the visible purposes; any other use gets one once something was decided."""
    if standing.erased:
        return False  # nothing is made anew about somebody who was erased
    permission = standing.permission
    return standing.use in pen.bench.policy.uses or (
        permission is not None and permission.state not in NEUTRAL
    )


def _lane_of_contact(wanted: ContactFields, now: ContactFields, *, stopped: bool) -> Lane:
    if _widens(wanted.consent_status, now.consent_status, wanted.valid_until, now.valid_until):
        return Lane.LOOSEN_CONTACT
    # Whatever tells of a stop on one of its channels is as urgent as the stop.
    return Lane.STOP if stopped else Lane.TIGHTEN


def _lane_of_row(wanted: RowFields, now: RowFields) -> Lane:
    if wanted.consent_status == Status.STOPPED:
        return Lane.STOP
    if _widens(wanted.consent_status, now.consent_status, wanted.effective_to, now.effective_to):
        return Lane.LOOSEN_ROWS
    return Lane.TIGHTEN


def _widens(
    wanted: str | None, now: str | None, wanted_end: datetime | None, end: datetime | None
) -> bool:
    if wanted not in _OPEN:
        return False
    if wanted != now:
        return now != Status.PERMITTED
    return end is not None and (wanted_end is None or wanted_end > end)
