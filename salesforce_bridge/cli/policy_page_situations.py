"""The part of the policy's page about what can happen: every situation, and every reason in plain words."""

from collections.abc import Iterator

from salesforce_bridge.cli.gate_words import said
from salesforce_bridge.cli.markdown import DASH, code, table
from salesforce_bridge.cli.policy_page_words import ACTS, CLASSES, EFFECTS, EXTRAS, SITUATIONS
from salesforce_bridge.reconcile.classes import LedgerClass
from salesforce_bridge.reconcile.decisions import reason_for
from salesforce_bridge.reconcile.findings import PRECEDENCE, Extra, Situation
from salesforce_bridge.reconcile.reasons import REASONS, Reason
from salesforce_bridge.reconcile.sentences import GATE_SENTENCES, REFUSAL_SENTENCES


def situations_part() -> Iterator[str]:
    """Every situation, in the order in which it is acted on."""
    yield (
        "Everything that can happen to a Contact or a permission row, in the order in which it is acted on when several"
        " things happen at once: stops first. What it means depends on what the ledger holds for the use:"
    )
    yield ""
    yield from table(
        ("class", "the ledger holds"), ((each.value, CLASSES[each]) for each in LedgerClass)
    )
    for situation in PRECEDENCE:
        yield from ("", f"### {situation.value}", "", SITUATIONS[situation], "")
        columns = ("the ledger holds", "reason", "in words")
        yield from table(columns, _answers(situation))
    yield from ("", "### Beside the situations", "")
    yield "These mean the same whatever the ledger holds."
    yield ""
    rows = (
        (EXTRAS[each], code(reason.code), reason.sentence)
        for each in Extra
        for reason in [reason_for(each, LedgerClass.L0)]
    )
    yield from table(("what", "reason", "in words"), rows)


def reasons_part() -> Iterator[str]:
    """Every reason: what it makes the ledger do, what Salesforce shows, and who looks."""
    yield (
        "Codes never change their meaning. What Salesforce gets is always the difference between what it shows and what"
        " the ledger says; the column says what that comes to for marketing. Severity is syslog's."
    )
    yield ""
    rows = (_reason_row(REASONS[key]) for key in sorted(REASONS))
    columns = ("reason", "in words", "the ledger", "Salesforce shows", "who looks", "severity")
    yield from table(columns, rows)
    yield from ("", "### Answers of the gates", "")
    answers = ((code(each), said(each)) for each in sorted(GATE_SENTENCES))
    yield from table(("answer", "in words"), answers)
    yield from ("", "### What the ledger keeps without following it", "")
    yield "An event that the state machines refuse is recorded with the reason why, and changes nothing."
    yield ""
    refusals = ((code(each), REFUSAL_SENTENCES[each]) for each in sorted(REFUSAL_SENTENCES))
    yield from table(("refused with", "in words"), refusals)


def _answers(situation: Situation) -> Iterator[tuple[str, str, str]]:
    """One line a reason, with all the classes that have it."""
    by_reason: dict[str, list[str]] = {}
    for each in LedgerClass:
        by_reason.setdefault(reason_for(situation, each).code, []).append(each.value)
    everything = len(by_reason) == 1
    for key, classes in by_reason.items():
        yield (
            "whatever it holds" if everything else ", ".join(classes),
            code(key),
            REASONS[key].sentence,
        )


def _reason_row(reason: Reason) -> tuple[str, ...]:
    sentence = reason.sentence
    if reason.successor is not None:
        sentence += f" No longer used; today {code(reason.successor)}."
    return (
        code(reason.code),
        sentence,
        ACTS[reason.act],
        EFFECTS[reason.effect],
        reason.queue or DASH,
        reason.severity.value,
    )
