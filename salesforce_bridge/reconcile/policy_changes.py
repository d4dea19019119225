"""What another policy means for people who were judged under an earlier one; found once for each of them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from salesforce_bridge.permissions.bundle import Notice, Policy, PurposeStatus
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.policy import basis_for
from salesforce_bridge.reconcile.facts import SubjectRecord
from salesforce_bridge.reconcile.findings import Finding, Situation
from salesforce_bridge.reconcile.identity import UNKNOWN_JURISDICTION


def policy_situations(
    here: Finding,
    record: SubjectRecord,
    *,
    uses: tuple[Use, ...],
    earlier: Mapping[str, Policy],
    policy: Policy,
    at: datetime,
) -> Iterator[Finding]:
    """Name what another bundle changes for a person; one that nobody knows any more says nothing."""
    before = earlier.get(record.policy_digest or "")
    if before is None or before.digest == policy.digest:
        return
    for use in uses:
        if is_retired(use, before=before, policy=policy):
            yield replace(here, situation=Situation.S29_PURPOSE_RETIRED, use=use)
            continue
        newer = newer_notice(record, use, before=before, policy=policy)
        if newer is not None:
            notice, material = newer
            yield replace(
                here,
                situation=Situation.S30_NOTICE_MATERIAL_CHANGE
                if material
                else Situation.S31_NOTICE_MINOR_CHANGE,
                use=use,
                notice_id=notice.id,
                observed={"notice": (notice.supersedes, notice.id)},
            )
        was, now = (basis_of_class(record, use, policy=each, at=at) for each in (before, policy))
        if was != now and use.purpose in before.purposes and use.purpose in policy.purposes:
            yield replace(
                here,
                situation=Situation.S32_BASIS_REASSIGNED,
                use=use,
                observed={"lawful_basis": (was, now)},
            )


def has_moved(record: SubjectRecord) -> bool:
    """Say whether somebody whose place is told anew was known to be anywhere: else it is only learned."""
    known = record.jurisdiction != UNKNOWN_JURISDICTION
    return known or record.former_jurisdiction is not None


def is_retired(use: Use, *, before: Policy, policy: Policy) -> bool:
    """Say whether a purpose was given up by the new policy."""
    was, now = before.purposes.get(use.purpose), policy.purposes.get(use.purpose)
    if now is None or now.status is not PurposeStatus.RETIRED:
        return False
    return was is not None and was.status is not PurposeStatus.RETIRED


def newer_notice(
    record: SubjectRecord, use: Use, *, before: Policy, policy: Policy
) -> tuple[Notice, bool] | None:
    """Find the newest notice in the place of the one agreed to, and whether what it changes matters.

    For people who never agreed to any, it is the newest that came in the place of any notice of the purpose.
    """
    permission = record.permissions.get(use)
    agreed = permission.notice_id if permission is not None else None
    chains = [
        chain
        for notice in policy.notices.values()
        if use.purpose in notice.purposes
        for chain in (_chain(notice, agreed, before=before, policy=policy),)
        if chain
    ]
    if not chains:
        return None
    newest = max(chains, key=lambda each: (each[0].published_at, len(each), each[0].id))
    return newest[0], any(notice.material for notice in newest)


def basis_of_class(record: SubjectRecord, use: Use, *, policy: Policy, at: datetime) -> str | None:
    """Name the basis that a policy assigns to a use for such a person."""
    return basis_for(policy, use.purpose, record.jurisdiction, record.subject_class, at=at)


def _chain(
    notice: Notice, agreed: str | None, *, before: Policy, policy: Policy
) -> tuple[Notice, ...]:
    """List the new notices from this one down to the one agreed to (or to any that was known before);
    empty if this one is not new, or does not come in its place."""
    chain: list[Notice] = []
    found: Notice | None = notice
    while found is not None and found.id not in before.notices and found not in chain:
        chain.append(found)
        found = policy.notices.get(found.supersedes or "")
    if found is None or found in chain or not chain:
        return ()
    if agreed is None or agreed not in policy.notices:
        return tuple(chain)
    return tuple(chain) if _comes_after(found, agreed, policy=policy) else ()


def _comes_after(notice: Notice, agreed: str, *, policy: Policy) -> bool:
    """Say whether a notice is the one agreed to, or came in its place by earlier changes."""
    passed: set[str] = set()
    found: Notice | None = notice
    while found is not None and found.id not in passed:
        if found.id == agreed:
            return True
        passed.add(found.id)
        found = policy.notices.get(found.supersedes or "")
    return False
