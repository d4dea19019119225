"""Planning: what one look makes of the people in it, under which rules, and whether a person has to look first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from salesforce_bridge.ledger.store import Tx
from salesforce_bridge.ledger.values import Backfill
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.permissions.policy import Policy, PolicyRefused, parse_policy
from salesforce_bridge.reading import World
from salesforce_bridge.reconcile.dossiers import Sight, assemble, orphans, owner_of
from salesforce_bridge.reconcile.facts import Dossier, RowSnapshot
from salesforce_bridge.reconcile.intent import Circuit, Plan, Target
from salesforce_bridge.reconcile.plan import NO_CHANGE, Change, change_of, check_limits, make_plan
from salesforce_bridge.sight import Reading, lay_in_sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One batch, decided."""

    plan: Plan
    read: frozenset[ContactId]  # Contacts read, or owning a row read, that were judged
    rows: tuple[tuple[RowSnapshot, ContactId | None], ...]
    fresh: frozenset[ContactId]  # Contacts never met before
    surprise: str | None  # over a limit, or under a ledger that is not the latest
    circuit: str | None  # a mass change: in words, why only stops may be written


def plan_of(
    world: World, tx: Tx, reading: Reading, *, at: datetime, salt: str, so_far: Change = NO_CHANGE
) -> Planned:
    """Decide what was read; the same reading, ledger and moment give the same plan."""
    sight = lay_in_sight(tx, world.org_id, reading)
    revision = tx.head().revision
    dossiers = assemble(sight)
    circuit = _circuit(world, tx, at=at)
    judged = partial(
        make_plan,
        dossiers,
        orphans=orphans(sight),
        org_id=world.org_id,
        policy=world.policy,
        at=at,
        revision=revision,
        salt=salt,
        earlier=_earlier(world, tx, sight),
    )
    plan = judged(circuit=circuit)
    if plan.opens_circuit is not None:
        # As if there were no rows at all it would open; how many there are takes long to count.
        plan = judged(circuit=replace(circuit, live_rows=tx.rows_known(world.org_id)))
    plan = _for_this_org(plan, world.gateway.features)
    fresh = frozenset(reading.judged - sight.contact_mirrors.keys())
    surprise = _restored(sight, revision) or _over_a_limit(
        world, tx, plan, fresh=fresh, so_far=so_far
    )
    return Planned(
        plan=plan,
        read=_kept(sight, dossiers, plan),
        rows=tuple(
            (row, owner_of(row, sight.row_owners.get(row_id)))
            for row_id, row in sorted(reading.rows.items())
        ),
        fresh=fresh,
        surprise=surprise,
        circuit=plan.opens_circuit or circuit.why,
    )


def _over_a_limit(
    world: World, tx: Tx, plan: Plan, *, fresh: frozenset[ContactId], so_far: Change
) -> str | None:
    """Say over which limit a plan goes; everybody who is known is counted where that can matter."""
    limits = world.policy.limits
    changed = len(change_of(plan, fresh=fresh, so_far=so_far).contacts)
    known = tx.contacts_known(world.org_id) if changed > limits.change_max else 0
    return check_limits(plan, limits, known=known, fresh=fresh, so_far=so_far)


def _circuit(world: World, tx: Tx, *, at: datetime) -> Circuit:
    """Give what was counted towards a mass change; before everybody was met, old claims are no news."""
    window = world.policy.surge.window
    circuit = tx.circuit(world.org_id, at=at, window=window, with_rows=False)
    mark = tx.bookmark(world.org_id)
    if mark is None or mark.backfill is not Backfill.COMPLETE:
        return circuit
    return replace(circuit, since=min(mark.contacts_since, mark.rows_since) - world.overlap)


def _for_this_org(plan: Plan, features: frozenset[str]) -> Plan:
    """Leave out what goes to an object that the org lacks; everything else does without it."""
    if Target.CAMPAIGN_MEMBER in features:
        return plan
    writes = (each for each in plan.writes if each.target is not Target.CAMPAIGN_MEMBER)
    return replace(plan, writes=tuple(writes))


def _earlier(world: World, tx: Tx, sight: Sight) -> Mapping[str, Policy]:
    """Give the bundles that people in sight were last judged under, where they differ from the one in force.

    One that this version no longer understands is left out: without it nobody can say what has changed.
    """
    known = world.memory.policies
    digests = {each.policy_digest for each in sight.records.values()}
    wanted = {each for each in digests if each is not None and each != world.policy.digest}
    texts = tx.policies(wanted - known.keys()) if wanted - known.keys() else {}
    for digest in wanted - known.keys():
        known[digest] = _understood(texts.get(digest))
    found = {digest: known[digest] for digest in sorted(wanted)}
    return {digest: policy for digest, policy in found.items() if policy is not None}


def _understood(text: str | None) -> Policy | None:
    try:
        return None if text is None else parse_policy(text)
    except PolicyRefused:
        return None


def _kept(sight: Sight, dossiers: Iterable[Dossier], plan: Plan) -> frozenset[ContactId]:
    """Name the Contacts that were read, but for those that were gone before the ledger met their person."""
    met = sight.records.keys() | {each.subject_id for each in plan.subjects}
    strangers = {each.contact_id for each in plan.decisions if each.subject_id not in met}
    read = {case.contact_id for dossier in dossiers for case in dossier.cases if case.read}
    return frozenset(read - strangers)


def _restored(sight: Sight, revision: int) -> str | None:
    """Recognise a ledger that was put back from a backup: the org knows a later revision than it does."""
    latest = max((each.fields.ledger_revision or 0 for each in sight.rows.values()), default=0)
    if latest <= revision:
        return None
    return f"the org shows ledger revision {latest}, this ledger has only reached {revision}"
