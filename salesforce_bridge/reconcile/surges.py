"""Mass changes: when so many results are widened or blanked at once that a person has to look first."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from salesforce_bridge.permissions.bundle import Policy
from salesforce_bridge.permissions.keys import ContactId, Use
from salesforce_bridge.reconcile.findings import Finding, Situation, in_order
from salesforce_bridge.reconcile.intent import Circuit
from salesforce_bridge.reconcile.strangers import unknown_echo

# What widens, or would leave somebody without the answer they gave.
COUNTED = frozenset(
    {
        Situation.S05_CRM_GRANT_VERIFIED_LATER,
        Situation.S06_CRM_GRANT_VERIFIED_EARLIER,
        Situation.S07_CRM_GRANT_ATTESTED,
        Situation.S08_CRM_GRANT_BARE,
        Situation.S09_CRM_GRANT_IMPLAUSIBLE_TIME,
        Situation.S10_CRM_BLANKED,
    }
)
# What has to be looked at over a whole plan before any of it is judged: those, and what a bridge wrote
# that this ledger knows nothing of.
EDITS = COUNTED | {Situation.S02_OWN_ECHO}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """What is left to act on once a mass change was looked for, and what has to wait for a person."""

    findings: tuple[Finding, ...]
    edits: Mapping[str, int] = field(default_factory=dict)  # of this plan, by author
    parked: frozenset[str] = frozenset()  # ids of rows and Contacts
    opens: str | None = None  # in words, why the circuit opens now; None: it stays as it is


def park(findings: Iterable[Finding], circuit: Circuit, policy: Policy, at: datetime) -> Parked:
    """Turn the widening and blanking edits of a whole plan into one mass change, if that is what they are.

    Edits are counted together with those of the window before; what a person let through is not counted
    and not parked, and claims that were there long before anybody looked are not counted. The writing of a
    bridge that this ledger does not know opens the circuit as well: what is claimed beside it may be what
    that bridge had recorded. While the circuit is open every such edit waits, and none is counted again.
    """
    found = tuple(findings)
    window = policy.surge.window
    edits = {} if circuit.is_open else edits_of(found, circuit=circuit, at=at, window=window)
    opens = None
    if not circuit.is_open:
        opens = why_open(edits, circuit=circuit, policy=policy) or unknown_echo(found)
    if opens is None and not circuit.is_open:
        return Parked(findings=found, edits=edits)
    waiting = [each for each in found if _is_edit(each, circuit, at=at)]
    kept = [each for each in found if not _is_edit(each, circuit, at=at)]
    return Parked(
        findings=in_order((*kept, *_as_one(waiting))),
        edits=edits,
        parked=frozenset(map(_record_of, waiting)),
        opens=opens,
    )


def edits_of(
    findings: Iterable[Finding], *, circuit: Circuit, at: datetime, window: timedelta
) -> Mapping[str, int]:
    """Count the records that each author widened or blanked within one window, each of them once."""
    records: dict[str, dict[str, datetime]] = defaultdict(dict)
    news_from = at - window if circuit.since is None else min(at - window, circuit.since)
    for each in findings:
        stamp = each.stamp or at
        if _is_edit(each, circuit, at=at) and stamp > news_from:
            records[each.actor or _NOBODY][_record_of(each)] = stamp
    return {
        author: _most_within(records[author].values(), window=window) for author in sorted(records)
    }


def why_open(edits: Mapping[str, int], *, circuit: Circuit, policy: Policy) -> str | None:
    """Say in words why so many edits are a mass change; None if they are none."""
    rule = policy.surge
    bulk = sum(edits.get(author, 0) for author in rule.bulk_authors)
    if bulk:
        return f"{bulk} records were changed by an author whose every change has to be looked at"
    counts = {author: count + circuit.edits.get(author, 0) for author, count in edits.items()}
    if not counts:
        return None
    most = max(counts.values())
    if _is_many(most, circuit, policy):
        return f"one author changed {most} of {circuit.live_rows} rows at once"
    earlier = sum(count for author, count in circuit.edits.items() if author not in edits)
    total = sum(counts.values()) + earlier
    if _is_many(total, circuit, policy):
        return f"{total} of {circuit.live_rows} rows were changed at once"
    return None


_NOBODY = ""  # nobody is named as the author


def _is_many(count: int, circuit: Circuit, policy: Policy) -> bool:
    rule = policy.surge
    share = count >= rule.share * circuit.live_rows
    return count >= rule.floor and (share or count > rule.ceiling)


def _is_edit(finding: Finding, circuit: Circuit, *, at: datetime) -> bool:
    """Say whether a finding counts towards a mass change: one that nobody has let through yet."""
    if finding.situation not in COUNTED:
        return False
    return circuit.closed_at is None or (finding.stamp or at) > circuit.closed_at


def _most_within(stamps: Iterable[datetime], *, window: timedelta) -> int:
    """Count the most records that were stamped within one window: after an outage many hours are read at once."""
    found = sorted(stamps)
    most = first = 0
    for last, stamp in enumerate(found):
        while found[first] < stamp - window:
            first += 1
        most = max(most, last - first + 1)
    return most


def _record_of(finding: Finding) -> str:
    return finding.row_id or finding.contact_id


def _as_one(waiting: Iterable[Finding]) -> Iterable[Finding]:
    """One decision for a Contact and a use, however many of its edits wait."""
    found: dict[tuple[ContactId, Use], Finding] = {}
    for each in waiting:
        key = (each.contact_id, each.use)
        found.setdefault(key, replace(each, situation=Situation.S26_MASS_CHANGE))
    return found.values()
