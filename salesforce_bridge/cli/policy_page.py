"""`docs/policy.md`: the rules as a privacy officer reads them, written from the tables that the bridge judges by."""

from collections.abc import Iterator

from salesforce_bridge.cli.markdown import table
from salesforce_bridge.cli.policy_page_bundle import (
    limits_part,
    profiles_part,
    purposes_part,
)
from salesforce_bridge.cli.policy_page_law import (
    bases_part,
    gates_part,
    machines_part,
    rights_part,
    stops_part,
)
from salesforce_bridge.cli.policy_page_situations import reasons_part, situations_part
from salesforce_bridge.cli.shared import Exit
from salesforce_bridge.permissions.bundle import Policy

_EXITS = {
    Exit.FINE: "done; for `may-use`: ALLOW; for `plan`: nothing to do",
    Exit.FAILED: "it did not succeed, or the answer is no: HOLD or DENY, a policy with errors, a page that is stale",
    Exit.USAGE: "the command was not understood",
    Exit.PLAN_NOT_EMPTY: "`plan`: there is something to do",
    Exit.HALTED: "only stops were written; somebody has to look",
    Exit.CONFIG: "settings, keys, policy or ledger cannot be used as they are; trying again is no use",
}


def page(policy: Policy) -> str:
    """Write the whole page."""
    parts = (
        ("What each lawful basis allows", bases_part()),
        ("What data is used for", purposes_part(policy)),
        ("The law of places", profiles_part(policy)),
        ("States of a permission", machines_part()),
        ("May we? The gates", gates_part()),
        ("Stops", stops_part()),
        ("Rights of a person", rights_part()),
        ("What can happen", situations_part()),
        ("Reasons", reasons_part()),
        ("Limits", limits_part(policy)),
        ("Exit codes", _exits()),
    )
    lines = [*_head(policy)]
    lines += [f"- [{title}](#{_anchor(title)})" for title, _ in parts]
    for title, part in parts:
        lines += ["", f"## {title}", "", *part]
    return "\n".join(lines) + "\n"


def _head(policy: Policy) -> Iterator[str]:
    yield "# Policy"
    yield ""
    yield (
        "How the bridge judges: for privacy officers, and for whoever has to explain a decision. This page is written by"
        " `salesforce-bridge policy docs` from the tables in the program and from a policy bundle"
        f" (this one: version {policy.version} of {policy.controller_name}); do not edit it. It is no legal advice."
        " What is marked *for counsel* is a starting value that a lawyer has to confirm before you rely on it."
    )
    yield ""


def _exits() -> Iterator[str]:
    yield "What a command says to whoever started it:"
    yield ""
    yield from table(("code", "name", "means"), ((int(e), e.name, _EXITS[e]) for e in Exit))


def _anchor(title: str) -> str:
    kept = (each for each in title.lower() if each.isalnum() or each in " -")
    return "".join(kept).replace(" ", "-")
