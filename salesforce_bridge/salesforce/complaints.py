"""What is inside an error body: codes, texts and field names in whatever shape a surface uses."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One error as Salesforce words it. The text may quote personal data and stays inside this package."""

    code: str
    text: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why one record was refused, in words that may be stored and shown."""

    code: str
    message: str
    digest: str | None  # SHA-256 of what Salesforce said word for word
    rule: str | None  # our own validation rule that spoke, such as SB-STOP-PENDING
    retryable: bool


SB_RULE = "SB_RULE"
STALE = "STALE"


def complaints_of(content: object) -> tuple[Complaint, ...]:
    """Read an error body: a list, one object, or something that is no JSON at all."""
    entries = content if isinstance(content, list) else [content]
    return tuple(
        _complaint(entry) for entry in entries if isinstance(entry, Mapping) and _code(entry)
    )


def refusal(content: object, *, status: int | None = None) -> Refusal:
    """Say why a record was refused; our own rule speaks first when several complain."""
    complaints = complaints_of(content)
    if status == _PRECONDITION_FAILED:
        return Refusal(
            code=STALE,
            message="the record was changed after it was read",
            digest=None,
            rule=None,
            retryable=False,
        )
    if not complaints:
        code = "NO_REASON_GIVEN" if status is None else f"HTTP_{status}"
        busy = status is not None and status >= _SERVER_SIDE
        return Refusal(
            code=code, message=_message(code, ()), digest=None, rule=None, retryable=busy
        )
    ours = [(complaint, rule) for complaint in complaints if (rule := _rule(complaint.text))]
    complaint, rule = ours[0] if ours else (complaints[0], None)
    digest = hashlib.sha256(complaint.text.encode("utf-8", "surrogatepass")).hexdigest()
    if rule is not None:
        return Refusal(
            code=SB_RULE,
            message=f"the validation rule {rule} refused the record",
            digest=digest,
            rule=rule,
            retryable=False,
        )
    return Refusal(
        code=complaint.code,
        message=_message(complaint.code, complaint.fields),
        digest=digest,
        rule=None,
        retryable=_transient(complaint),
    )


_PRECONDITION_FAILED = 412
_SERVER_SIDE = 500
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
_RULE = re.compile(r"\s*\[(SB-[A-Z0-9-]{1,60})\]")
_TRANSIENT = frozenset(
    {
        "UNABLE_TO_LOCK_ROW",
        "REQUEST_RUNNING_TOO_LONG",
        "QUERY_TIMEOUT",
        "SERVER_UNAVAILABLE",
        "UNKNOWN_EXCEPTION",
        "INTERNAL_ERROR",
        "INVALID_SERVER_ERROR",
        "API_CURRENTLY_DISABLED",
        "TOO_MANY_APEX_REQUESTS",
        "TXN_SECURITY_METERING_ERROR",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "PROCESSING_HALTED",
    }
)
# A trigger or flow of the org threw; only the text says whether it was load or logic.
_AMBIGUOUS = frozenset(
    {
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        "TXN_SECURITY_APEX_ERROR",
        "TXN_SECURITY_RUNTIME_ERROR",
        "DELETE_FAILED",
    }
)
_LOAD = ("UNABLE_TO_LOCK_ROW", "LimitException", "CPU time limit", "CPU_LIMIT")


def _complaint(entry: Mapping[str, object]) -> Complaint:
    fields = entry.get("fields")
    names = fields if isinstance(fields, list) else []
    text = entry.get("message", entry.get("error_description"))
    return Complaint(
        code=_code(entry),
        text=text if isinstance(text, str) else "",
        fields=tuple(name for name in names if isinstance(name, str) and _CODE.fullmatch(name)),
    )


def _code(entry: Mapping[str, object]) -> str:
    """Rows say `statusCode`, requests `errorCode`, the token endpoint `error`."""
    for key in ("errorCode", "statusCode", "error"):
        code = entry.get(key)
        if isinstance(code, str) and _CODE.fullmatch(code):
            return code
    return ""


def _rule(text: str) -> str | None:
    found = _RULE.match(text)
    return found.group(1) if found else None


def _transient(complaint: Complaint) -> bool:
    if complaint.code in _TRANSIENT:
        return True
    return complaint.code in _AMBIGUOUS and any(part in complaint.text for part in _LOAD)


def _message(code: str, fields: tuple[str, ...]) -> str:
    where = f" on {', '.join(sorted(fields))}" if fields else ""
    return f"Salesforce refused the record: {code}{where}"
