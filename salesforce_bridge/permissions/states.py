"""The state machines of permissions, as tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from salesforce_bridge.permissions.bases import OBJECTIONABLE, LawfulBasis
from salesforce_bridge.permissions.events import EventKind


class State(StrEnum):
    """Where a permission stands in law. The first eleven belong to consent, the next five to every other basis."""

    UNKNOWN = "UNKNOWN"
    REQUESTED = "REQUESTED"
    DEFERRED = "DEFERRED"
    PENDING_CONFIRMATION = "PENDING_CONFIRMATION"
    GIVEN = "GIVEN"
    RENEWED = "RENEWED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"
    INVALIDATED = "INVALIDATED"
    NOT_ESTABLISHED = "NOT_ESTABLISHED"
    IN_FORCE = "IN_FORCE"
    CHALLENGED = "CHALLENGED"
    OBJECTED = "OBJECTED"
    ENDED = "ENDED"
    ERASED = "ERASED"


# Together with CHALLENGED and ERASED these sets cover every state, and no two of them overlap.
NEUTRAL = frozenset({State.UNKNOWN, State.NOT_ESTABLISHED})
ASKED = frozenset({State.REQUESTED, State.DEFERRED, State.PENDING_CONFIRMATION})
VALID = frozenset({State.GIVEN, State.RENEWED, State.IN_FORCE})
STOPPED = frozenset({State.REFUSED, State.WITHDRAWN, State.OBJECTED})
LAPSED = frozenset({State.EXPIRED, State.REVOKED, State.INVALIDATED, State.ENDED})


class Machine(StrEnum):
    """Which table a permission moves by."""

    CONSENT = "CONSENT"
    OBJECTIONABLE = "OBJECTIONABLE"
    OBJECTIONABLE_MARKETING = "OBJECTIONABLE_MARKETING"
    PLAIN = "PLAIN"
    OBLIGATION = "OBLIGATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What an event does to a state: one cell of a table."""

    next: State  # the state itself where the event is refused or changes nothing
    refused: str | None = None
    changed: bool = False
    needs_person: bool = False  # only the person's own act may do this
    needs_route: bool = False  # only if the way in which the person is asked is itself lawful


def advance(state: State, kind: EventKind, *, basis: LawfulBasis, marketing: bool) -> Move:
    """Look up what an event does to a permission; total, so nothing is ever undefined."""
    return _MOVES[basis, marketing][state, kind]


def machine_of(basis: LawfulBasis, *, marketing: bool) -> Machine:
    """Choose the table: direct marketing under an objectionable basis has one of its own, Art. 21(2)."""
    if basis is LawfulBasis.CONSENT:
        return Machine.CONSENT
    if basis in OBJECTIONABLE:
        return Machine.OBJECTIONABLE_MARKETING if marketing else Machine.OBJECTIONABLE
    return Machine.OBLIGATION if basis is LawfulBasis.LEGAL_OBLIGATION else Machine.PLAIN


def initial(basis: LawfulBasis) -> State:
    """Name the state of a key about which nothing has happened."""
    return State.UNKNOWN if basis is LawfulBasis.CONSENT else State.NOT_ESTABLISHED


# A cell is the next state; "=" changes nothing; "!CODE" refuses with that code; "*" after a state asks
# for the person's own act; "+" for a lawful way of asking.
TABLES: Mapping[Machine, str] = {
    Machine.CONSENT: """
from REQUEST DEFER GRANT_UNCONFIRMED GRANT RENEW REFUSE WITHDRAW EXPIRE REVOKE INVALIDATE ERASE
UNKNOWN REQUESTED !NO_OPEN_REQUEST PENDING_CONFIRMATION GIVEN !NOTHING_TO_RENEW REFUSED WITHDRAWN = REVOKED !NOTHING_TO_INVALIDATE ERASED
REQUESTED = DEFERRED PENDING_CONFIRMATION GIVEN !NOTHING_TO_RENEW REFUSED WITHDRAWN UNKNOWN REVOKED !NOTHING_TO_INVALIDATE ERASED
DEFERRED REQUESTED = PENDING_CONFIRMATION GIVEN !NOTHING_TO_RENEW REFUSED WITHDRAWN UNKNOWN REVOKED !NOTHING_TO_INVALIDATE ERASED
PENDING_CONFIRMATION = !NO_OPEN_REQUEST = GIVEN !NOTHING_TO_RENEW REFUSED WITHDRAWN UNKNOWN REVOKED INVALIDATED ERASED
GIVEN = = = RENEWED RENEWED WITHDRAWN WITHDRAWN EXPIRED REVOKED INVALIDATED ERASED
RENEWED = = = RENEWED RENEWED WITHDRAWN WITHDRAWN EXPIRED REVOKED INVALIDATED ERASED
REFUSED !REPERMISSION_BLOCKED !NO_OPEN_REQUEST = GIVEN* !RENEWAL_AFTER_STOP = WITHDRAWN = = = ERASED
WITHDRAWN !REPERMISSION_BLOCKED !NO_OPEN_REQUEST = GIVEN* !RENEWAL_AFTER_STOP = = = = = ERASED
EXPIRED REQUESTED+ !NO_OPEN_REQUEST PENDING_CONFIRMATION GIVEN RENEWED REFUSED WITHDRAWN = REVOKED INVALIDATED ERASED
REVOKED REQUESTED+ !NO_OPEN_REQUEST PENDING_CONFIRMATION GIVEN !RENEWAL_AFTER_REVOCATION REFUSED WITHDRAWN = = INVALIDATED ERASED
INVALIDATED REQUESTED+ !NO_OPEN_REQUEST PENDING_CONFIRMATION GIVEN !RENEWAL_OF_INVALID REFUSED WITHDRAWN = = = ERASED
ERASED !SUBJECT_ERASED !SUBJECT_ERASED !SUBJECT_ERASED !SUBJECT_ERASED !SUBJECT_ERASED = = !SUBJECT_ERASED !SUBJECT_ERASED !SUBJECT_ERASED =
""",
    Machine.OBJECTIONABLE: """
from ESTABLISH END OBJECT_MARKETING OBJECT_GROUNDS UPHOLD OVERRIDE LIFT ERASE
NOT_ESTABLISHED IN_FORCE = !MARKETING_STOP_RECORDED_ELSEWHERE OBJECTED !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE !NOTHING_TO_LIFT ERASED
IN_FORCE = ENDED !MARKETING_STOP_RECORDED_ELSEWHERE CHALLENGED !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE !NOTHING_TO_LIFT ERASED
CHALLENGED !CHALLENGE_OPEN OBJECTED !MARKETING_STOP_RECORDED_ELSEWHERE = OBJECTED IN_FORCE IN_FORCE* ERASED
OBJECTED !OBJECTION_STANDS = !MARKETING_STOP_RECORDED_ELSEWHERE = !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE IN_FORCE* ERASED
ENDED IN_FORCE = !MARKETING_STOP_RECORDED_ELSEWHERE OBJECTED !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE !NOTHING_TO_LIFT ERASED
ERASED !SUBJECT_ERASED = = !SUBJECT_ERASED !SUBJECT_ERASED !SUBJECT_ERASED !SUBJECT_ERASED =
""",
    Machine.OBJECTIONABLE_MARKETING: """
from ESTABLISH END OBJECT_MARKETING OBJECT_GROUNDS UPHOLD OVERRIDE LIFT ERASE
NOT_ESTABLISHED IN_FORCE = OBJECTED OBJECTED !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE !NOTHING_TO_LIFT ERASED
IN_FORCE = ENDED OBJECTED OBJECTED !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE !NOTHING_TO_LIFT ERASED
CHALLENGED !CHALLENGE_OPEN OBJECTED OBJECTED OBJECTED OBJECTED !MARKETING_OBJECTION_IS_ABSOLUTE IN_FORCE* ERASED
OBJECTED !OBJECTION_STANDS = = = !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE IN_FORCE* ERASED
ENDED IN_FORCE = OBJECTED OBJECTED !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE !NOTHING_TO_LIFT ERASED
ERASED !SUBJECT_ERASED = = !SUBJECT_ERASED !SUBJECT_ERASED !SUBJECT_ERASED !SUBJECT_ERASED =
""",
    Machine.PLAIN: """
from ESTABLISH END OBJECT_MARKETING OBJECT_GROUNDS UPHOLD OVERRIDE LIFT ERASE
NOT_ESTABLISHED IN_FORCE = !MARKETING_STOP_RECORDED_ELSEWHERE !OBJECTION_NOT_AVAILABLE_FOR_BASIS !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE !NOTHING_TO_LIFT ERASED
IN_FORCE = ENDED !MARKETING_STOP_RECORDED_ELSEWHERE !OBJECTION_NOT_AVAILABLE_FOR_BASIS !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE !NOTHING_TO_LIFT ERASED
CHALLENGED !CHALLENGE_OPEN OBJECTED !MARKETING_STOP_RECORDED_ELSEWHERE !OBJECTION_NOT_AVAILABLE_FOR_BASIS OBJECTED IN_FORCE IN_FORCE* ERASED
OBJECTED !OBJECTION_STANDS = !MARKETING_STOP_RECORDED_ELSEWHERE !OBJECTION_NOT_AVAILABLE_FOR_BASIS !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE IN_FORCE* ERASED
ENDED IN_FORCE = !MARKETING_STOP_RECORDED_ELSEWHERE !OBJECTION_NOT_AVAILABLE_FOR_BASIS !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE !NOTHING_TO_LIFT ERASED
ERASED !SUBJECT_ERASED = = !SUBJECT_ERASED !SUBJECT_ERASED !SUBJECT_ERASED !SUBJECT_ERASED =
""",
    Machine.OBLIGATION: """
from ESTABLISH END OBJECT_MARKETING OBJECT_GROUNDS UPHOLD OVERRIDE LIFT ERASE
NOT_ESTABLISHED IN_FORCE = !MARKETING_STOP_RECORDED_ELSEWHERE !OBJECTION_NOT_AVAILABLE_FOR_BASIS !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE !NOTHING_TO_LIFT ERASED
IN_FORCE = ENDED !MARKETING_STOP_RECORDED_ELSEWHERE !OBJECTION_NOT_AVAILABLE_FOR_BASIS !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE !NOTHING_TO_LIFT !ERASURE_REFUSED_LEGAL_OBLIGATION
CHALLENGED !CHALLENGE_OPEN OBJECTED !MARKETING_STOP_RECORDED_ELSEWHERE !OBJECTION_NOT_AVAILABLE_FOR_BASIS OBJECTED IN_FORCE IN_FORCE* !ERASURE_REFUSED_LEGAL_OBLIGATION
OBJECTED !OBJECTION_STANDS = !MARKETING_STOP_RECORDED_ELSEWHERE !OBJECTION_NOT_AVAILABLE_FOR_BASIS !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE IN_FORCE* !ERASURE_REFUSED_LEGAL_OBLIGATION
ENDED IN_FORCE = !MARKETING_STOP_RECORDED_ELSEWHERE !OBJECTION_NOT_AVAILABLE_FOR_BASIS !NO_OPEN_CHALLENGE !NO_OPEN_CHALLENGE !NOTHING_TO_LIFT ERASED
ERASED !SUBJECT_ERASED = = !SUBJECT_ERASED !SUBJECT_ERASED !SUBJECT_ERASED !SUBJECT_ERASED =
""",
}

Moves = Mapping[tuple[State, EventKind], Move]


def _moves_of(basis: LawfulBasis, *, marketing: bool) -> Moves:
    """Fill in what a table leaves out, so that every state and event has an answer."""
    machine = machine_of(basis, marketing=marketing)
    header, *rows = (line.split() for line in TABLES[machine].strip().splitlines())
    moves = {
        (state, kind): Move(next=state, refused="EVENT_NOT_FOR_BASIS")
        for state in State
        for kind in EventKind
    }
    known = set()
    for first, *cells in rows:
        state = State(first)
        known.add(state)
        for word, cell in zip(header[1:], cells, strict=True):
            moves[state, EventKind(word)] = _read_cell(state, cell)
    if marketing and machine in {Machine.PLAIN, Machine.OBLIGATION}:
        # An objection is never refused because we gave a marketing purpose the wrong basis.
        for state in known:
            cell = "=" if state in {State.OBJECTED, State.ERASED} else "OBJECTED"
            moves[state, EventKind.OBJECT_MARKETING] = _read_cell(state, cell)
    for state, kind in moves:
        if state not in known:
            moves[state, kind] = Move(next=state, refused="BASIS_SWAP_BLOCKED")
    return moves


def _read_cell(state: State, cell: str) -> Move:
    if cell.startswith("!"):
        return Move(next=state, refused=cell[1:])
    after = state if cell == "=" else State(cell.rstrip("*+"))
    return Move(
        next=after,
        changed=after is not state,
        needs_person=cell.endswith("*"),
        needs_route=cell.endswith("+"),
    )


_MOVES: Mapping[tuple[LawfulBasis, bool], Moves] = {
    (basis, marketing): _moves_of(basis, marketing=marketing)
    for basis in LawfulBasis
    for marketing in (False, True)
}
