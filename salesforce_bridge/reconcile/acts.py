"""Acts: what the ledger does for a reason. One small function for each act of the catalogue."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.reconcile import acts_claims, acts_policy, acts_rights
from salesforce_bridge.reconcile.acts_words import happened_at, tell, words_of
from salesforce_bridge.reconcile.bench import Bench
from salesforce_bridge.reconcile.facts import ACTIVE, AMBIGUOUS, CLOSED_PURGED, CLOSED_SOFT
from salesforce_bridge.reconcile.findings import Finding
from salesforce_bridge.reconcile.identity import stable_id
from salesforce_bridge.reconcile.reasons import Act, Reason
from salesforce_bridge.reconcile.telling import BRIDGE, event_of


def act(bench: Bench, finding: Finding, reason: Reason) -> tuple[str, ...]:
    """Do what a reason asks of the ledger; give the ids of the events, claims and cases it made."""
    return tuple(_ACTS[reason.act](bench, finding, reason))


def _nothing(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    del bench, finding, reason
    return iter(())


def _link(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    del reason
    if finding.contact_id in bench.alive:
        bench.relink(finding.contact_id, ACTIVE)
    return iter(())


def _link_as_candidate(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    del reason
    bench.relink(finding.contact_id, AMBIGUOUS)
    return iter(())


def _close_link(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    del reason
    found = bench.cases[finding.contact_id].seen is not None
    bench.relink(finding.contact_id, CLOSED_SOFT if found else CLOSED_PURGED)
    return iter(())


def _propagate_stop(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    record = bench.record_of(finding.contact_id)
    for kind, use in tuple(words_of(bench, record, finding)):
        event = event_of(
            record,
            use,
            kind,
            reason=reason.code,
            happened_at=happened_at(bench, finding),
            teller=replace(BRIDGE, record=finding.contact_id),
            policy=bench.policy,
            at=bench.at,
            own=False,
        )
        known = record.permissions.get(use)
        if known is not None and known.reason == "STOP_CORRECTED_AS_ERROR":
            # Taken back here while the other person's no still stands, so it is carried once more.
            event = replace(event, id=stable_id(event.id, known.since.isoformat()))
        bench.append(event)
        yield event.id


def _end_grant_of_old_point(bench: Bench, finding: Finding, reason: Reason) -> Iterator[str]:
    """A grant for an address ends with it; one for an address that is still there somewhere does not."""
    record = bench.record_of(finding.contact_id)
    purpose = bench.policy.purposes.get(finding.use.purpose)
    permission = record.permissions[finding.use]
    scoped = purpose is not None and finding.use.channel in purpose.address_scoped
    kept = any(
        permission.point in (point.exact, point.hmac)
        for point in bench.points_of(record.subject_id)
    )
    if scoped and not kept:
        yield from tell(bench, finding, reason, EventKind.REVOKE, teller=BRIDGE)


_ACTS: Mapping[Act, Callable[[Bench, Finding, Reason], Iterator[str]]] = {
    Act.NOTHING: _nothing,
    Act.STOP: acts_rights.stop,
    Act.STOP_CHANNEL: acts_rights.stop,
    Act.CORROBORATE: acts_rights.corroborate,
    Act.QUARANTINE: acts_claims.quarantine,
    Act.LINK: _link,
    Act.LINK_AS_CANDIDATE: _link_as_candidate,
    Act.CLOSE_LINK: _close_link,
    Act.CLOSE_LINK_PURGED: _close_link,
    Act.JOIN: _nothing,  # done before the class was taken, see `merging`
    Act.PROPAGATE_STOP: _propagate_stop,
    Act.REKEY: _nothing,
    Act.END_GRANT_OF_OLD_POINT: _end_grant_of_old_point,
    Act.EXPIRE: acts_policy.expire,
    Act.HOLD: acts_policy.hold,
    Act.HALT: _nothing,
    Act.GRANT: acts_claims.grant,
    Act.RENEW: acts_claims.renew,
    Act.OPEN_RIGHTS_CASE: acts_rights.open_rights_case,
    Act.REVOKE_BY_POLICY: acts_policy.revoke,
    Act.CLOSE_REQUEST: acts_policy.close_request,
    Act.CARRY_TO_SUCCESSOR: acts_policy.carry_to_successor,
    Act.LINK_NOTICE: acts_policy.link_notice,
    Act.REAFFIRM: acts_policy.reaffirm,
    Act.PROMPT: acts_policy.prompt,
    Act.MOVE: _nothing,  # done before the class was taken, see `acts_policy.move`
    Act.PARK: _nothing,
    Act.CONFIRM_ERASURE: acts_rights.confirm_erasure,
    Act.REAFFIRM_SUPPRESSION: acts_rights.reaffirm_suppression,
    Act.TIME_OUT: acts_claims.time_out,
    Act.REMIND: acts_rights.remind,
}
