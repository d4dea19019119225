"""What another policy would change: the two texts compared, and everybody in the ledger judged under both."""

from dataclasses import asdict, dataclass
from typing import Any

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.shared import tell_table
from salesforce_bridge.config import Settings
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.bundle import Policy
from salesforce_bridge.permissions.policy_diff import Difference, diff
from salesforce_bridge.trial import Trial, try_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Two policies, what they say differently, and what comes of it."""

    before: Policy
    after: Policy
    differences: tuple[Difference, ...]
    trial: Trial

    def document(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "before": {"version": self.before.version, "digest": self.before.digest},
            "after": {"version": self.after.version, "digest": self.after.digest},
            "differences": [asdict(each) for each in self.differences],
            "people": self.trial.people,
            "differing": self.trial.differing,
            "reasons": [
                {"reason": reason, "before": before, "after": after}
                for reason, before, after in counted(self.trial)
            ],
            "changed": [
                {
                    "contact_id": each.contact_id,
                    "purpose": each.use.purpose,
                    "channel": each.use.channel,
                    "before": each.before,
                    "after": each.after,
                }
                for each in self.trial.changed
            ],
        }


def looked_ahead(settings: Settings, ledger: Ledger, policy: Policy, *, sample: int) -> Outlook:
    """Compare a policy with the one in use, and try it on everybody; nothing is changed."""
    with ledger.reading() as tx:
        before = wiring.policy_in_use(settings, tx).policy
    org_id = wiring.org_of(settings, ledger)
    trial = try_policy(ledger, org_id, before=before, after=policy, at=wiring.now(), sample=sample)
    return Outlook(before=before, after=policy, differences=diff(before, policy), trial=trial)


def counted(trial: Trial) -> list[tuple[str, int, int]]:
    """The decisions by reason, before and after, of reasons whose number changes or is not nothing."""
    return [
        (reason, trial.before.get(reason, 0), trial.after.get(reason, 0))
        for reason in sorted({*trial.before, *trial.after})
    ]


def tell(outlook: Outlook) -> None:
    """Say what changes."""
    typer.echo(f"Policy {outlook.before.version} → {outlook.after.version}")
    if not outlook.differences:
        typer.echo("Both say the same.")
    else:
        tell_table(
            ("place", "before", "after"),
            ((each.place, each.before, each.after) for each in outlook.differences),
        )
    rows = [
        (reason, before, after, f"{after - before:+d}" if after != before else "")
        for reason, before, after in counted(outlook.trial)
    ]
    typer.echo(f"tried on {outlook.trial.people} people of the ledger")
    if rows:
        tell_table(("decided", "before", "after", "change"), rows)
    if outlook.trial.differing:
        tell_table(
            ("contact", "purpose", "channel", "shows", "would show"),
            (
                (each.contact_id, each.use.purpose, each.use.channel, each.before, each.after)
                for each in outlook.trial.changed
            ),
            title=f"{len(outlook.trial.changed)} of {outlook.trial.differing} answers that change",
        )
    else:
        typer.echo("Nobody's answer changes.")
