"""Patterns: what came of one person, but for who it is, to be given back for all who are alike."""

from typing import Any, NamedTuple

from salesforce_bridge.reconcile.intent import Decision
from salesforce_bridge.reconcile.judge import name_of_decision

# A text cut at every place where the Contact is named.
Gapped = list[str]


class Decided(NamedTuple):
    """One decision, but for whom it is about."""

    name: Gapped  # what its id is made of
    rest: tuple[Any, ...]  # all that comes after what is of one person alone


def pattern_of(decision: Decision, *, salt: str) -> Decided:
    """Take from a decision what it has in common with those about everybody alike."""
    name = name_of_decision(salt, decision.contact_id, decision.use, decision.situation)
    return Decided(name=name.split(decision.contact_id), rest=decision[_OWN_OF_DECISION:])


# Id, subject, Contact, actor and stamp.
_OWN_OF_DECISION = Decision._fields.index("situation")
