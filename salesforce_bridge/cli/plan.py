"""`plan` and `apply`: what a cycle would do, seen before it is done."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.reports import tell_report
from salesforce_bridge.cli.shared import AsJson, Exit, given, tell_json, tell_table
from salesforce_bridge.cycle import CycleReport, Foresight, foresee, run_cycle
from salesforce_bridge.daemon import ended_by_signals
from salesforce_bridge.errors import CannotStart, RetryLater
from salesforce_bridge.metrics import Metrics
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.reading import World
from salesforce_bridge.reconcile.intent import Plan, Write
from salesforce_bridge.reconcile.plan import Change

SHOWN_WRITES = 50
app = typer.Typer(add_completion=False)


class PlanMoved(RetryLater):
    """The org or the ledger changed since the plan was made, so it is no longer the one that was approved."""


class PlanUnreadable(CannotStart):
    """The file does not hold a plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A plan as it is shown and kept: all that a person needs to approve it."""

    org_id: str
    made_at: str
    policy_version: str
    digest: str  # over the digests of its chunks, the org and the policy
    decisions: Mapping[str, int]  # by reason
    writes: tuple[Mapping[str, Any], ...]
    events: int
    cases: int  # of people's rights, opened or changed
    over_limits: str | None  # why a cycle would write stops only
    circuit: str | None  # a mass change: why a cycle would write stops only

    @property
    def empty(self) -> bool:
        """Whether a cycle would change nothing on either side."""
        return not self.writes and not self.events and not self.cases

    def document(self) -> dict[str, Any]:
        """The plan as JSON."""
        return {name: getattr(self, name) for name in self.__slots__} | {"empty": self.empty}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """A plan, and how much of it counts towards the limits."""

    shown: Shown
    change: Change


@app.command()
def plan(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Keep the plan here, for `apply`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a cycle would decide and write; change nothing. Exit code 3: there is something to do."""
    with wiring.bridge(given(ctx).settings()) as bridge:
        shown = _looked(bridge.world(), at=wiring.now()).shown
    if out is not None:
        out.write_bytes(
            orjson.dumps(shown.document(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
        )
    if as_json:
        tell_json(shown.document())
    else:
        _tell(shown)
    if not shown.empty:
        raise typer.Exit(Exit.PLAN_NOT_EMPTY)


@app.command()
def apply(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(help="The plan that was approved; refused if the world has moved on."),
    ] = None,
    beyond_limits: Annotated[
        bool,
        typer.Option(
            "--beyond-limits",
            help="Write it although it is over the limits of the policy; needs FILE.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run one cycle that carries out a plan seen before, or, without one, whatever is due."""
    if beyond_limits and file is None:
        raise typer.BadParameter(
            "only a plan that was looked at may go beyond the limits: name its FILE"
        )
    approved = _approved(file) if file is not None else None
    stop = threading.Event()
    settings = given(ctx).settings()
    with ended_by_signals(stop), wiring.bridge(settings, stop=stop) as bridge:

        def cycle(*, stops_only: bool, deadline: datetime, go_on: Any) -> CycleReport:
            world = bridge.world()
            if approved is not None:
                looked = _looked(world, at=wiring.now())
                _compare(looked.shown.digest, approved)
                if beyond_limits:
                    world = replace(world, policy=with_room_for(looked.change, world.policy))
            return run_cycle(world, stops_only=stops_only, deadline=deadline, go_on=go_on)

        bridge.keep_policy()
        daemon = wiring.make_daemon(
            settings.daemon, cycle, bridge.ledger, stop=stop, metrics=Metrics()
        )
        tell_report(daemon.once(), as_json=as_json)


def with_room_for(change: Change, policy: Policy) -> Policy:
    """Raise the limits to what was approved, and no further: what comes on top still needs a look."""
    limits = policy.limits
    return replace(
        policy,
        limits=replace(
            limits,
            loosen_max=max(limits.loosen_max, change.loosened),
            change_max=max(limits.change_max, len(change.contacts)),
        ),
    )


def _looked(world: World, *, at: datetime) -> _Looked:
    ahead = foresee(world)
    return _Looked(shown=_shown(world, ahead, at=at), change=ahead.change)


def _shown(world: World, ahead: Foresight, *, at: datetime) -> Shown:
    plans = ahead.plans
    whole = orjson.dumps([world.org_id, world.policy.digest, *(each.digest for each in plans)])
    return Shown(
        org_id=world.org_id,
        made_at=at.isoformat(timespec="seconds"),
        policy_version=world.policy.version,
        digest=sha256(whole).hexdigest(),
        decisions=dict(
            sorted(Counter(each.reason for one in plans for each in one.decisions).items())
        ),
        writes=tuple(_writes_of(plans)),
        events=sum(len(each.events) for each in plans),
        cases=sum(len(each.cases) for each in plans),
        over_limits=ahead.surprise,
        circuit=ahead.circuit,
    )


def _writes_of(plans: tuple[Plan, ...]) -> Iterator[dict[str, Any]]:
    reasons = {each.id: each.reason for one in plans for each in one.decisions}
    for each in (write for one in plans for write in one.writes):
        yield {
            "lane": each.lane.name,
            "verb": each.verb.value,
            "target": each.target.value,
            "contact_id": each.contact_id,
            "record_id": each.record_id,
            "reason": reasons.get(each.decision_id),
            "fields": _plain(each),
        }


def _plain(write: Write) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in sorted(write.fields.items())
    }


def _tell(shown: Shown) -> None:
    typer.echo(f"Org {shown.org_id}, policy {shown.policy_version}, plan {shown.digest[:12]}")
    if shown.decisions:
        tell_table(("reason", "decisions"), shown.decisions.items())
    if shown.empty:
        typer.echo("Nothing to do: both sides agree.")
        return
    rows = (
        (
            each["lane"],
            each["target"],
            each["contact_id"],
            each["reason"],
            ", ".join(each["fields"]),
        )
        for each in shown.writes[:SHOWN_WRITES]
    )
    tell_table(("lane", "object", "contact", "reason", "fields"), rows)
    if len(shown.writes) > SHOWN_WRITES:
        typer.echo(f"… and {len(shown.writes) - SHOWN_WRITES} more; --out FILE keeps all of them.")
    typer.echo(
        f"{shown.events} events and {shown.cases} cases to record, {len(shown.writes)} writes to send."
        " Nothing was changed."
    )
    if shown.circuit is not None:
        typer.echo(
            f"Mass change: {shown.circuit}. A cycle would write stops only until somebody has looked;"
            " see `review circuit status`."
        )
    if shown.over_limits is not None:
        typer.echo(
            f"Over the limits: {shown.over_limits}. A cycle would write stops only;"
            " `apply FILE --beyond-limits` writes all of it."
        )


def _approved(file: Path) -> str:
    try:
        return str(orjson.loads(file.read_bytes())["digest"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlanUnreadable(
            f"{file} does not hold a plan.", hint="salesforce-bridge plan --out FILE"
        ) from error


def _compare(found: str, approved: str) -> None:
    if found != approved:
        raise PlanMoved(
            "The org or the ledger changed since that plan was made; nothing was written.",
            hint="salesforce-bridge plan --out FILE, and look at it again",
        )
