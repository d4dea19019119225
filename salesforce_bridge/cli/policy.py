"""`policy`: the rules in use; a new version checked, compared and tried on everybody before it counts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli import policy_file, policy_tried
from salesforce_bridge.cli.asking import another, confirmed
from salesforce_bridge.cli.defaults import default_text
from salesforce_bridge.cli.outstanding import unconfirmed
from salesforce_bridge.cli.people import text_of
from salesforce_bridge.cli.policy_file import Read, read
from salesforce_bridge.cli.policy_page import page
from salesforce_bridge.cli.policy_tried import Outlook, looked_ahead
from salesforce_bridge.cli.shared import AsJson, Exit, given, operator, tell_json, tell_table
from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.permissions.bundle import Policy
from salesforce_bridge.permissions.policy import parse_policy

PAGE = Path("docs/policy.md")
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A policy, in TOML.")
]
SampleOption = Annotated[
    int, typer.Option(min=0, help="How many of the people who would change to show.")
]
app = typer.Typer(no_args_is_help=True, add_completion=False)


class PolicyUnfit(SkipRecord):
    """A policy with errors never becomes the one in use."""


class AlreadyActive(SkipRecord):
    """The policy in use says the same already."""


class PageStale(SkipRecord):
    """The page does not say what the tables say."""


@app.callback()
def main() -> None:
    """Check, try and activate the rules that everything is judged by."""


@app.command()
def check(
    file: FileArgument,
    against: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The policy it is to follow."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Name everything wrong with a policy, by line; calls nobody. Exit code 1: an error."""
    before = None if against is None else policy_file.parsed(against)
    found = read(file, against=before, at=wiring.now())
    if as_json:
        tell_json(found.document())
    else:
        policy_file.tell(found)
    if found.errors:
        raise typer.Exit(Exit.FAILED)


@app.command()
def show(
    ctx: typer.Context,
    text: Annotated[
        bool, typer.Option("--text", help="Print the policy as it is written.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the policy in use, who approved it, and whether the file says something else."""
    settings = given(ctx).settings()
    with wiring.ledger_in_use(settings) as ledger, ledger.reading() as tx:
        in_use, active = wiring.policy_in_use(settings, tx), tx.active_policy()
        standing = wiring.policy_standing(settings, tx)
    policy = in_use.policy
    document = {
        "version": policy.version,
        "digest": policy.digest,
        "controller": policy.controller,
        "activated": active is not None,
        "approved_by": active.approved_by if active is not None else None,
        "activated_at": text_of(active.activated_at) if active is not None else None,
        "note": active.note if active is not None else None,
        "file": str(settings.policy.file),
        "file_differs": standing.differs,
        "purposes": _purposes(policy),
        "unconfirmed_profiles": list(unconfirmed(policy)),
    }
    if text:
        typer.echo(in_use.text, nl=False)
    elif as_json:
        tell_json(document)
    else:
        _tell(document)


@app.command()
def diff(
    ctx: typer.Context, file: FileArgument, sample: SampleOption = 10, as_json: AsJson = False
) -> None:
    """Compare a policy with the one in use, and try it on everybody in the ledger; change nothing."""
    settings, at = given(ctx).settings(), wiring.now()
    with wiring.ledger_in_use(settings) as ledger:
        with ledger.reading() as tx:
            before = wiring.policy_in_use(settings, tx).policy
        policy = _fit(read(file, against=before, at=at))
        outlook = looked_ahead(settings, ledger, policy, sample=sample)
    if as_json:
        tell_json(outlook.document())
    else:
        policy_tried.tell(outlook)
        typer.echo("Nothing was changed.")


@app.command()
def apply(
    ctx: typer.Context,
    file: FileArgument,
    approved_by: Annotated[
        str, typer.Option(help="Who else has looked at it; their login, not yours.")
    ],
    note: Annotated[str, typer.Option(help="Why it changes; kept with the bundle.")],
    sample: SampleOption = 10,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask; it was looked at before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a policy the one in use, after showing what it changes; the next cycle judges by it."""
    settings, second = given(ctx).settings(), another(approved_by)
    if not note.strip():
        raise typer.BadParameter("say why it changes", param_hint="--note")
    with wiring.ledger_in_use(settings) as ledger:
        with ledger.reading() as tx:
            before = wiring.policy_in_use(settings, tx).policy
            active = tx.active_policy()
        found = read(file, against=before, at=wiring.now())
        policy = _fit(found)
        if active is not None and active.digest == policy.digest:
            raise AlreadyActive(
                f"Policy {policy.version} is the one in use already.",
                hint="salesforce-bridge policy show",
            )
        outlook = looked_ahead(settings, ledger, policy, sample=sample)
        if not as_json:
            policy_file.tell(found)
            policy_tried.tell(outlook)
        confirmed(f"Let policy {policy.version} be the one in use from now on?", yes=yes)
        with ledger.begin() as tx:
            tx.activate_policy(
                policy, found.text, by=operator(), approved_by=second, note=note, at=wiring.now()
            )
    _tell_applied(policy, outlook, as_json=as_json)


@app.command()
def docs(
    file: Annotated[
        Path | None,
        typer.Option(
            "--policy", exists=True, dir_okay=False, help="Default: the one that is shipped."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="The page.")] = PAGE,
    compare: Annotated[
        bool, typer.Option("--check", help="Only compare; exit code 1: the page is stale.")
    ] = False,
) -> None:
    """Write the page that says in plain words what the rules are, from the tables that judge."""
    policy = parse_policy(default_text("policy.toml")) if file is None else policy_file.parsed(file)
    text = page(policy)
    if compare:
        if not out.is_file() or out.read_text("utf-8") != text:
            raise PageStale(
                f"{out} does not say what the tables say.", hint="salesforce-bridge policy docs"
            )
        typer.echo(f"{out} says what the tables say.")
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, "utf-8")
    typer.echo(f"{out} is written.")


def _fit(found: Read) -> Policy:
    """Give a policy without errors."""
    if found.policy is None or found.errors:
        policy_file.complain_of(found)
        raise PolicyUnfit(
            f"{found.file.name} has {len(found.errors)} errors and cannot be used.",
            hint=f"salesforce-bridge policy check {found.file}",
        )
    return found.policy


def _tell_applied(policy: Policy, outlook: Outlook, *, as_json: bool) -> None:
    if as_json:
        tell_json(outlook.document() | {"applied": True})
        return
    typer.echo(f"Policy {policy.version} is in use; the next cycle judges everybody by it.")


def _purposes(policy: Policy) -> list[dict[str, Any]]:
    return [
        {
            "key": each.key,
            "version": each.version,
            "status": each.status.value,
            "category": each.category.value,
            "channels": list(each.channels),
            "bases": sorted({one.basis.value for one in each.assignments}),
        }
        for each in policy.purposes.values()
    ]


def _tell(document: dict[str, Any]) -> None:
    typer.echo(f"Policy {document['version']}, digest {document['digest'][:12]}")
    if document["activated"]:
        typer.echo(
            f"in use since {document['activated_at']},"
            f" approved by {document['approved_by'] or 'nobody else: it was the first'}"
        )
        typer.echo(f"because: {document['note']}")
    else:
        typer.echo("not activated yet: the first cycle takes it from the file")
    if document["file_differs"]:
        typer.echo(
            f"{document['file']} says something else, which is not in use; policy apply makes it so"
        )
    tell_table(
        ("purpose", "version", "status", "category", "channels", "rests on"),
        (
            (
                *(each["key"], each["version"], each["status"], each["category"]),
                *(", ".join(each["channels"]), ", ".join(each["bases"])),
            )
            for each in document["purposes"]
        ),
    )
    if document["unconfirmed_profiles"]:
        names = ", ".join(document["unconfirmed_profiles"])
        typer.echo(f"not confirmed by counsel yet: {names}")
