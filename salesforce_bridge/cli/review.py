"""`review`: claims that wait for two people, a mass change that was stopped, stops recorded by mistake."""

from datetime import timedelta
from typing import Annotated

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli import review_circuit, review_correct
from salesforce_bridge.cli.asking import another, confirmed
from salesforce_bridge.cli.grants import graded, point_for
from salesforce_bridge.cli.outstanding import waited
from salesforce_bridge.cli.people import living_points
from salesforce_bridge.cli.review_told import claim_document, tell_claim, view_document
from salesforce_bridge.cli.shared import AsJson, given, operator, tell_json, tell_table
from salesforce_bridge.ledger import review as claims
from salesforce_bridge.ledger.proving import Proof

ALL = 100_000  # more claims than anybody would refuse at once
ClaimArgument = Annotated[
    str, typer.Argument(metavar="CLAIM_ID", help="As `review list` shows it.")
]
ReasonOption = Annotated[
    str | None, typer.Option("--reason-code", help="Only claims held for this reason.")
]
AuthorOption = Annotated[
    str | None, typer.Option("--claimed-by", help="Only claims of this Salesforce user.")
]
app = typer.Typer(no_args_is_help=True, add_completion=False)
app.add_typer(review_circuit.app, name="circuit")
app.command()(review_correct.correct)


@app.callback()
def main() -> None:
    """Judge what waits for a person."""


@app.command(name="list")
def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("-n", min=1, help="How many at most.")] = 100,
    reason: ReasonOption = None,
    claimed_by: AuthorOption = None,
    as_json: AsJson = False,
) -> None:
    """List the claims that wait for somebody, those that expire first before the others."""
    settings, at = given(ctx).settings(), wiring.now()
    with wiring.ledger_in_use(settings) as ledger, ledger.reading() as tx:
        policy = wiring.policy_in_use(settings, tx).policy
        found = claims.waiting(tx, at=at, reason=reason, claimed_by=claimed_by, limit=limit + 1)
    rows = [claim_document(each, policy, at=at) for each in found[:limit]]
    if as_json:
        tell_json(rows)
        return
    if not rows:
        typer.echo("No claim waits for anybody.")
        return
    columns = ("claim", "contacts", "purpose", "channel", "waits", "by", "evidence", "ends in")
    tell_table(
        columns,
        (
            (
                *(each["claim_id"], ", ".join(each["contact_ids"])),
                *(each["purpose"], each["channel"], f"{each['waits_days']} days"),
                *(each["claimed_by"], each["evidence_ref"], f"{each['expires_in_days']} days"),
            )
            for each in rows
        ),
    )
    more = f"More than {limit} wait (-n shows more)" if len(found) > limit else f"{len(rows)} wait"
    typer.echo(f"{more}; review show CLAIM_ID shows one beside what the ledger holds.")


@app.command()
def show(ctx: typer.Context, claim_id: ClaimArgument, as_json: AsJson = False) -> None:
    """Show a claim beside what the ledger holds about the person, oldest first."""
    settings, at = given(ctx).settings(), wiring.now()
    with wiring.ledger_in_use(settings) as ledger, ledger.reading() as tx:
        policy = wiring.policy_in_use(settings, tx).policy
        document = view_document(claims.show(tx, claim_id, at=at), policy, at=at)
    if as_json:
        tell_json(document)
    else:
        tell_claim(document)


@app.command()
def approve(
    ctx: typer.Context,
    claim_id: ClaimArgument,
    approved_by: Annotated[
        str, typer.Option(help="Who else has looked at the proof; their login, not yours.")
    ],
    grade: Annotated[
        str | None,
        typer.Option(
            help="How good the proof is: A, B, C or D; not for one a machine has checked."
        ),
    ] = None,
    notice: Annotated[
        str | None, typer.Option(help="The text that was shown, by its id in the policy.")
    ] = None,
    evidence: Annotated[
        str | None, typer.Option(help="Where the proof is kept; default: what the claim names.")
    ] = None,
    by_the_person: Annotated[
        bool, typer.Option(help="The proof is the person's own act: a signed form, a link.")
    ] = False,
    address: Annotated[
        str | None,
        typer.Option(help="The address or number it is for, if the person has several."),
    ] = None,
    crm_user: Annotated[
        list[str] | None,
        typer.Option(help="The Salesforce user ids of the two; neither may have made the claim."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a claim a grant, on proof that two people have looked at; the next cycle writes it."""
    settings, second = given(ctx).settings(), another(approved_by)
    with wiring.ledger_in_use(settings) as ledger, ledger.begin() as tx:
        policy = wiring.policy_in_use(settings, tx).policy
        _, claim = claims.open_claim(tx, claim_id)
        proof = None
        if grade is not None:
            held = living_points(tx, wiring.org_of(settings, ledger), claim.subject_id)
            proof = Proof(
                grade=graded(grade),
                ref=evidence,
                notice_id=notice,
                point=point_for(claim.use, held, policy, settings, address),
                by_the_person=by_the_person,
            )
        claims.approve(
            tx,
            claim_id,
            proof,
            by=operator(),
            approved_by=second,
            at=wiring.now(),
            policy=policy,
            # A login may be a Salesforce user's id as well: who typed it is not for us to guess.
            crm_users=tuple(crm_user or ()),
        )
    _tell("APPROVED", claim_id, as_json=as_json)


@app.command()
def refuse(ctx: typer.Context, claim_id: ClaimArgument, as_json: AsJson = False) -> None:
    """Close a claim for good; nothing is permitted by it."""
    settings = given(ctx).settings()
    with wiring.ledger_in_use(settings) as ledger, ledger.begin() as tx:
        policy = wiring.policy_in_use(settings, tx).policy
        claims.refuse(tx, claim_id, by=operator(), at=wiring.now(), policy=policy)
    _tell("REFUSED", claim_id, as_json=as_json)


@app.command()
def refuse_all(
    ctx: typer.Context,
    reason: ReasonOption = None,
    claimed_by: AuthorOption = None,
    older_than: Annotated[
        int, typer.Option(min=0, metavar="DAYS", help="Only claims that wait longer.")
    ] = 0,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Close many claims for good; there is no such command for approvals."""
    settings, at = given(ctx).settings(), wiring.now()
    with wiring.ledger_in_use(settings) as ledger:
        with ledger.reading() as tx:
            policy = wiring.policy_in_use(settings, tx).policy
            waiting = claims.waiting(tx, at=at, reason=reason, claimed_by=claimed_by, limit=ALL)
        chosen = [
            each.claim.id
            for each in waiting
            if waited(each.claim, policy, at=at) >= timedelta(days=older_than)
        ]
        if chosen:
            confirmed(f"Refuse {len(chosen)} claims for good?", yes=yes)
        with ledger.begin() as tx:
            refused = claims.refuse_all(tx, chosen, by=operator(), at=at, policy=policy)
    if as_json:
        tell_json({"refused": refused})
    else:
        typer.echo(f"{refused} claims are refused.")


def _tell(verdict: str, claim_id: str, *, as_json: bool) -> None:
    if as_json:
        tell_json({"claim_id": claim_id, "verdict": verdict})
    else:
        typer.echo(
            f"Claim {claim_id} is {verdict.lower()}; the next cycle carries it to Salesforce."
        )
