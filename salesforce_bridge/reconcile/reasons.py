"""The catalogue of reasons: what each code makes the ledger do, who is told, how much it weighs, and how to say it.

Codes are append-only: never renamed, never reused. A retired code stays, with a successor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from salesforce_bridge.reconcile.catalogue import CATALOGUE
from salesforce_bridge.reconcile.sentences import SENTENCES


class Act(StrEnum):
    """What the ledger does for a reason. What Salesforce gets is always the difference to the standing."""

    NOTHING = "NOTHING"
    STOP = "STOP"
    STOP_CHANNEL = "STOP_CHANNEL"
    CORROBORATE = "CORROBORATE"
    QUARANTINE = "QUARANTINE"
    LINK = "LINK"
    LINK_AS_CANDIDATE = "LINK_AS_CANDIDATE"
    CLOSE_LINK = "CLOSE_LINK"
    JOIN = "JOIN"
    PROPAGATE_STOP = "PROPAGATE_STOP"
    REKEY = "REKEY"
    END_GRANT_OF_OLD_POINT = "END_GRANT_OF_OLD_POINT"
    EXPIRE = "EXPIRE"
    HOLD = "HOLD"
    HALT = "HALT"
    GRANT = "GRANT"  # on a proof that a machine has checked
    RENEW = "RENEW"
    OPEN_RIGHTS_CASE = "OPEN_RIGHTS_CASE"  # and stop, restrict or object at once
    REVOKE_BY_POLICY = "REVOKE_BY_POLICY"
    CLOSE_REQUEST = "CLOSE_REQUEST"
    CARRY_TO_SUCCESSOR = "CARRY_TO_SUCCESSOR"
    LINK_NOTICE = "LINK_NOTICE"
    REAFFIRM = "REAFFIRM"
    PROMPT = "PROMPT"
    MOVE = "MOVE"  # to another jurisdiction, with the stricter of both rules
    PARK = "PARK"  # leave an edit unread until a person has looked at the mass change
    CLOSE_LINK_PURGED = "CLOSE_LINK_PURGED"
    CONFIRM_ERASURE = "CONFIRM_ERASURE"
    REAFFIRM_SUPPRESSION = "REAFFIRM_SUPPRESSION"
    TIME_OUT = "TIME_OUT"  # close a claim that nobody has judged in time
    REMIND = "REMIND"  # note on a rights case that somebody was told it is due


class Effect(StrEnum):
    """What a reason does to marketing use of the key, at once."""

    KEEP = "KEEP"
    DENY = "DENY"
    HOLD = "HOLD"
    RAISE = "RAISE"


class Severity(StrEnum):
    """How much a reason weighs, by syslog's names."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    NOTICE = "NOTICE"
    WARN = "WARN"
    CRIT = "CRIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One answer of the decision table."""

    code: str
    act: Act
    effect: Effect
    severity: Severity
    queue: str | None  # who has to look, None: nobody
    sentence: str
    ledger: str  # what the ledger does, in the words of the catalogue
    salesforce: str  # what Salesforce gets
    successor: str | None = None  # of a retired code: what is said today


# What decisions said before every situation had a rule of its own.
RETIRED: Mapping[str, str] = {"SITUATION_NOT_YET_JUDGED": "PERM_UNMAPPABLE_HELD"}


def _read(table: str) -> Mapping[str, Reason]:
    lines = (line for line in table.splitlines() if line and not line.startswith("#"))
    return {reason.code: reason for reason in map(_reason, lines)}


def _reason(line: str) -> Reason:
    code, act, effect, severity, queue, ledger, salesforce = line.split(" | ")
    return Reason(
        code=code,
        act=Act(act),
        effect=Effect(effect),
        severity=Severity(severity),
        queue=None if queue == "-" else queue,
        sentence=SENTENCES[code],
        ledger=ledger,
        salesforce=salesforce,
        successor=RETIRED.get(code),
    )


REASONS: Mapping[str, Reason] = _read(CATALOGUE)
