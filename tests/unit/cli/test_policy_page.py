"""The policy's page: complete, true to the tables, and never stale."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from salesforce_bridge.cli.defaults import default_text
from salesforce_bridge.cli.policy_page import page
from salesforce_bridge.cli.policy_page_words import (
    ACTS,
    BASES,
    CATEGORIES,
    CHANNEL_LAW,
    CLASSES,
    EFFECTS,
    EXTRAS,
    MACHINES,
    RIGHTS_WORDS,
    SITUATIONS,
    WORTHS,
)
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import Category, ChannelLaw
from salesforce_bridge.permissions.policy import Policy, parse_policy
from salesforce_bridge.permissions.rights import Right, Worth
from salesforce_bridge.permissions.states import TABLES, State
from salesforce_bridge.permissions.stop_matrix import Obstacle
from salesforce_bridge.reconcile.classes import LedgerClass
from salesforce_bridge.reconcile.decisions import DECISIONS
from salesforce_bridge.reconcile.findings import PRECEDENCE, Extra, Situation
from salesforce_bridge.reconcile.reasons import REASONS, Act, Effect

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return parse_policy(default_text("policy.toml"))


@pytest.fixture(scope="module")
def text(policy: Policy) -> str:
    return page(policy)


def test_the_page_that_is_kept_says_what_the_tables_say(text: str) -> None:
    kept = (ROOT / "docs" / "policy.md").read_text("utf-8")
    assert kept == text, "run: salesforce-bridge policy docs"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (ACTS, Act),
        (BASES, LawfulBasis),
        (CATEGORIES, Category),
        (CHANNEL_LAW, ChannelLaw),
        (CLASSES, LedgerClass),
        (EFFECTS, Effect),
        (EXTRAS, Extra),
        (MACHINES, TABLES),
        (RIGHTS_WORDS, Right),
        (SITUATIONS, Situation),
        (WORTHS, Worth),
    ],
)
def test_nothing_that_the_rules_know_is_without_words(words: object, wanted: object) -> None:
    assert set(words) == set(wanted)  # type: ignore[call-overload]  # mappings and enums alike


def test_every_situation_is_told_in_the_order_in_which_it_is_acted_on(text: str) -> None:
    told = re.findall(r"^### (S\d\d_\w+)$", text, re.MULTILINE)
    assert told == [each.value for each in PRECEDENCE]


def test_every_reason_of_every_cell_is_in_the_part_about_its_situation(text: str) -> None:
    parts = dict(re.findall(r"^### (S\d\d_\w+)$(.*?)(?=^###? )", text, re.MULTILINE | re.DOTALL))
    for situation, row in DECISIONS.items():
        told = set(re.findall(r"`([A-Z_]+)`", parts[situation.value]))
        assert told == set(row.values()), situation


def test_every_reason_is_explained(text: str) -> None:
    reasons = text[text.index("\n## Reasons") :]
    assert [code for code in REASONS if f"| `{code}` |" not in reasons] == []


def test_every_stop_and_every_profile_is_told(text: str, policy: Policy) -> None:
    assert [each for each in Obstacle if f"`{each.value}`" not in text] == []
    assert [key for key in policy.profiles if f"### {key}\n" not in text] == []


def test_a_diagram_shows_no_state_that_nothing_leads_to(text: str) -> None:
    diagrams = re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL)
    assert len(diagrams) == len(TABLES)
    for diagram in diagrams:
        arrows = re.findall(r"^    (\S+) --> (\w+)", diagram, re.MULTILINE)
        first = next(after for before, after in arrows if before == "[*]")
        assert {before for before, _ in arrows} - {"[*]"} <= {
            first,
            *(after for _, after in arrows),
        }
        assert {after for _, after in arrows} <= {each.value for each in State}


def test_only_the_person_leads_out_of_a_stop_in_the_diagrams(text: str) -> None:
    stopped = re.findall(
        r"^    (?:REFUSED|WITHDRAWN|OBJECTED) --> (\w+): (.*)$", text, re.MULTILINE
    )
    leaving = [events for after, events in stopped if after in {"GIVEN", "IN_FORCE"}]
    assert leaving
    assert {event for events in leaving for event in events.split(", ")} == {"GRANT*", "LIFT*"}


def test_what_no_counsel_confirmed_is_marked_and_what_one_did_is_not(policy: Policy) -> None:
    unconfirmed = page(policy).count("*for counsel*: starting values")
    assert unconfirmed == len({**policy.profiles, policy.unknown.key: policy.unknown})
    confirmed = {
        key: replace(each, confirmed_by="Counsel") for key, each in policy.profiles.items()
    }
    assert "*for counsel*: starting values" not in page(replace(policy, profiles=confirmed))


def test_every_link_of_the_contents_leads_to_a_heading(text: str) -> None:
    headings = {
        re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-")
        for each in re.findall(r"^## (.*)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings
