"""The gates in words: what each asks, and what its answer means to somebody who has to act on it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from salesforce_bridge.permissions.bundle import Category
from salesforce_bridge.permissions.gates import STANDALONE, Answer, Failure
from salesforce_bridge.permissions.stop_matrix import Obstacle
from salesforce_bridge.reconcile.sentences import GATE_SENTENCES, SENTENCES


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One question, in its place in the order."""

    key: str
    title: str
    asks: str
    marketing_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """How one gate answered; a gate that was not asked has no verdict."""

    gate: Gate
    asked: bool
    failures: tuple[Failure, ...]


GATES: tuple[Gate, ...] = (
    Gate(key="G1", title="identity", asks="Do we know for certain whose Contact this is?"),
    Gate(
        key="G2",
        title="stops",
        asks="Does any stop, objection, restriction or suppression stand against this kind of message?",
    ),
    Gate(key="G3", title="purpose", asks="Is the purpose in use, neither a draft nor retired?"),
    Gate(
        key="G4",
        title="lawful basis",
        asks="Does the policy give this purpose a lawful basis for such a person?",
    ),
    Gate(
        key="G5",
        title="state of the basis",
        asks="Did the person say yes, or is the basis in force, for this address?",
    ),
    Gate(key="G6", title="validity", asks="Has it begun, and has it not run out?"),
    Gate(
        key="G7",
        title="proof",
        asks="Is there proof of the grade that is needed, and is what the basis rests on in date?",
    ),
    Gate(
        key="G8",
        title="special category",
        asks="If health, belief or the like is involved: is an exception of Art. 9(2) recorded?",
    ),
    Gate(
        key="G9",
        title="law of the channel",
        asks="Does the law of the place let marketing go out on this channel?",
        marketing_only=True,
    ),
    Gate(
        key="G10",
        title="freshness",
        asks="Were both sides compared recently enough to say yes?",
        marketing_only=True,
    ),
    Gate(key="HELD", title="hold", asks="Has nobody put this aside until somebody has looked?"),
)
OBSTACLES: Mapping[Obstacle, str] = {
    Obstacle.MARKETING_OBJECTION: "They asked us to stop marketing.",
    Obstacle.CHANNEL_OPT_OUT: "They asked us to stop marketing on this channel.",
    Obstacle.SUBJECT_STOP_ALL: "They asked us to stop everything that can be stopped.",
    Obstacle.PROCESSING_RESTRICTED: "Use of their personal data is restricted.",
    Obstacle.GROUNDS_CHALLENGE_OPEN: "They object, and that is not decided yet.",
    Obstacle.NATIONAL_DNC_REGISTER: "A national register says not to call, or was not asked.",
    Obstacle.UNDELIVERABLE: "The address or number answers no more.",
    Obstacle.SUPPRESSED_MARKETING: "This address must get no marketing.",
    Obstacle.SUPPRESSED_ALL: "This address must get nothing.",
    Obstacle.SUBJECT_ERASED: "This person was erased at their wish.",
    Obstacle.SUBJECT_DECEASED: "This person has died.",
    Obstacle.MINOR_WITHOUT_GUARDIAN: "This person is a minor, and no guardian has answered.",
}


def said(reason: str) -> str:
    """Say a code of a gate in one plain sentence."""
    return GATE_SENTENCES.get(reason) or SENTENCES.get(reason) or reason


def passages(answer: Answer, *, category: Category, live: bool) -> Iterator[Passage]:
    """Walk the gates in their order, the passed ones too; `live` says whether freshness was asked."""
    unasked = set() if live else {"G10"}
    if category is not Category.MARKETING:
        unasked |= {gate.key for gate in GATES if gate.marketing_only}
    if category in STANDALONE:
        unasked |= {gate.key for gate in GATES[len(_ALWAYS) :]}
    if any(each.reason in _NOTHING_STANDS for each in answer.failed):
        unasked |= {"G6", "G7"}
    for gate in GATES:
        failures = tuple(each for each in answer.failed if each.gate == gate.key)
        yield Passage(gate=gate, asked=bool(failures) or gate.key not in unasked, failures=failures)


_ALWAYS = ("G1", "G2")  # also of messages that stand on a legal footing of their own
# Where nothing was permitted, there is no span of time and no proof to ask about.
_NOTHING_STANDS = frozenset({"DENY_NOT_ESTABLISHED", "DENY_STOPPED", "DENY_LAPSED"})
