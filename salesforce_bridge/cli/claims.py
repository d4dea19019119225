"""`ledger claims`, `approve` and `refuse`: what waits in quarantine, and what people make of it."""

from typing import Annotated, Any

import typer

from salesforce_bridge import wiring
from salesforce_bridge.cli.grants import graded, point_for
from salesforce_bridge.cli.shared import AsJson, given, operator, tell_json, tell_table
from salesforce_bridge.errors import SkipRecord
from salesforce_bridge.ledger import subjects, views
from salesforce_bridge.ledger.records import ClaimClosed, Proof, confirm_claim, reject_claim
from salesforce_bridge.ledger.store import Tx
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.keys import OrgId, SubjectId
from salesforce_bridge.reconcile.facts import LIVE_LINKS, Candidate
from salesforce_bridge.salesforce.records import long_id

ClaimArgument = Annotated[
    str, typer.Argument(metavar="CLAIM_ID", help="As `ledger claims` shows it.")
]


class SecondPersonMissing(SkipRecord):
    """A claim widens only when two people have looked at it, neither of whom made it."""


class ApprovalWithoutEffect(SkipRecord):
    """The ledger would keep the grant without following it, so the claim is better left open."""


def claims(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("-n", min=1, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the claims that wait for somebody, those that expire first before the others."""
    settings = given(ctx).settings()
    with wiring.ledger_in_use(settings) as ledger, ledger.reading() as tx:
        waiting = views.waiting_claims(tx, limit=limit)
        people = tx.subjects({each.subject_id for each in waiting})
        rows = [
            _document(each, sorted(link.contact_id for link in people[each.subject_id].links))
            for each in waiting
        ]
    if as_json:
        tell_json(rows)
    elif not rows:
        typer.echo("No claim waits for anybody.")
    else:
        tell_table(
            ("claim", "contacts", "purpose", "channel", "claimed at", "by", "evidence", "expires"),
            (
                (
                    each["claim_id"],
                    ", ".join(each["contact_ids"]),
                    each["purpose"],
                    each["channel"],
                    each["claimed_at"],
                    each["claimed_by"],
                    each["evidence_ref"],
                    each["expires_at"],
                )
                for each in rows
            ),
        )


def approve(
    ctx: typer.Context,
    claim_id: ClaimArgument,
    approved_by: Annotated[
        str, typer.Option(help="Who else has looked at the proof; their login, not yours.")
    ],
    grade: Annotated[str, typer.Option(help="How good the proof is: A, B, C or D.")],
    notice: Annotated[str, typer.Option(help="The text that was shown, by its id in the policy.")],
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
    as_json: AsJson = False,
) -> None:
    """Make a claim a grant, on proof that two people have looked at; the next cycle writes it."""
    settings = given(ctx).settings()
    policy, by, approved_by = wiring.load_policy(settings), operator(), approved_by.strip()
    proven = graded(grade)
    with wiring.ledger_in_use(settings) as ledger, ledger.begin() as tx:
        claim = _open_claim(tx, claim_id)
        _refuse_the_same_person(claim, by=by, approved_by=approved_by)
        held = _points(tx, wiring.org_of(settings, ledger), claim.subject_id)
        proof = Proof(
            grade=proven,
            ref=evidence,
            notice_id=notice,
            point=point_for(claim.use, held, policy, settings, address),
            by_the_person=by_the_person,
        )
        appended = confirm_claim(
            tx, claim_id, proof, by=by, approved_by=approved_by, at=wiring.now(), policy=policy
        )
        for refused in appended.refused.values():
            raise ApprovalWithoutEffect(
                f"The ledger does not follow that grant: {refused}. Nothing was recorded; the claim still waits.",
                hint=f"put right what it names, or salesforce-bridge ledger refuse {claim_id}",
            )
    _tell("APPROVED", claim_id, as_json=as_json)


def refuse(ctx: typer.Context, claim_id: ClaimArgument, as_json: AsJson = False) -> None:
    """Close a claim for good; nothing is permitted by it."""
    settings = given(ctx).settings()
    policy = wiring.load_policy(settings)
    with wiring.ledger_in_use(settings) as ledger, ledger.begin() as tx:
        _open_claim(tx, claim_id)
        reject_claim(tx, claim_id, by=operator(), at=wiring.now(), policy=policy)
    _tell("REFUSED", claim_id, as_json=as_json)


def _open_claim(tx: Tx, claim_id: str) -> Candidate:
    found = subjects.candidate(tx.connection, claim_id)
    if found is None or not found[1].open:
        raise ClaimClosed(
            f"Claim {claim_id} does not wait for anybody.", hint="salesforce-bridge ledger claims"
        )
    return found[1]


def _refuse_the_same_person(claim: Candidate, *, by: str, approved_by: str) -> None:
    if not approved_by or approved_by == by:
        raise SecondPersonMissing(
            "A claim is approved by two different people; --approved-by names the other one.",
            hint="have somebody else look at the proof, and give their login",
        )
    # An import notes a login, a row a Salesforce user; who that is outside Salesforce is not known here.
    if claim.claimed_by is not None and claim.claimed_by in {by, approved_by, long_id(approved_by)}:
        raise SecondPersonMissing(
            f"{claim.claimed_by} made that claim and cannot approve it as well.",
            hint="have two other people look at the proof",
        )


def _points(tx: Tx, org_id: OrgId, subject_id: SubjectId) -> tuple[ContactPoint, ...]:
    """All that the living Contacts of a person are addressed by."""
    links = tx.subjects([subject_id])[subject_id].links
    living = {link.contact_id for link in links if link.state in LIVE_LINKS}
    mirrors = tx.contact_mirrors(org_id, living)
    return tuple(point for each in mirrors.values() for point in each.points)


def _document(claim: Candidate, contact_ids: list[str]) -> dict[str, Any]:
    return {
        "claim_id": claim.id,
        "contact_ids": contact_ids,
        "subject_id": claim.subject_id,
        "purpose": claim.use.purpose,
        "channel": claim.use.channel,
        "reason": claim.reason,
        "claimed_at": claim.claimed_at.isoformat(),
        "claimed_by": claim.claimed_by,
        "evidence_ref": claim.evidence_ref,
        "expires_at": claim.expires_at.isoformat(),
    }


def _tell(verdict: str, claim_id: str, *, as_json: bool) -> None:
    if as_json:
        tell_json({"claim_id": claim_id, "verdict": verdict})
    else:
        typer.echo(
            f"Claim {claim_id} is {verdict.lower()}; the next cycle carries it to Salesforce."
        )
