"""Logs that may be shown to anybody: an allow-list of fields and shapes keeps people and secrets out."""

import logging
import re
import sys
import threading
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from typing_extensions import override

from salesforce_bridge.errors import BridgeError

HIDDEN = "[hidden]"
TEXT_MAX, NESTED_MAX = 500, 100

# Sentences of our own; all other fields carry words, numbers and moments.
SENTENCES = frozenset({"message", "hint"})
_WORDS = """
event level timestamp logger error where dropped
org_id contact_id row_id record_id subject_id decision_id event_id write_id cycle_id entry_id
object field target purpose channel
reason situation ledger_class effect severity queue lane verb
outcome result status code state kind policy_version digest version
read decisions writes events calls count total limit attempt rows contacts chunk chunks
seconds age_seconds wait_seconds skew_seconds usage allowance size revision seq
unwritten_stops oldest_unwritten
at since until started_at last_clean_at server_time next_at
name owner lease signal request halted paused stops_only clean
host port path pid tick job environment
"""
FIELDS = SENTENCES | frozenset(_WORDS.split())

_EVENT = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
_WORD = re.compile(r"[\w.:/+*\[\]=-]{1,200}", re.ASCII)
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bselect\b.*\bfrom\b.*|\bfind\b\s*\{.*", re.IGNORECASE), "[query]"),
    (re.compile(r"-----BEGIN .*"), "[key]"),
    (re.compile(r"\bBearer\s+\S+|\b00D\w{12,15}!\S*|\beyJ[\w-]{5,}\.\S*"), "[token]"),
    (re.compile(r"(?i)\b\w*(?:password|secret|token|assertion|signature|code)=\S+"), "[token]"),
    (re.compile(r'(?:"[^"]{0,100}"|[^\s"]){0,320}(?:@|%40|&#64;)\S*'), "[e-mail]"),
    (re.compile(r"\+\d[\d ().-]{6,}\d|(?<![\w.:-])0\d[\d ()./-]{6,}\d(?![\w:])"), "[phone]"),
)


def configure(
    *,
    style: str = "auto",
    level: str = "info",
    stream: TextIO | None = None,
    on_drop: Callable[[int], None] = lambda _count: None,
) -> None:
    """Let every line, ours and the libraries', pass through the same narrow gate."""
    out = stream or sys.stderr
    on_terminal = out.isatty()
    console = style == "console" or (style == "auto" and on_terminal)
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=on_terminal, sort_keys=False)
        if console
        else structlog.processors.JSONRenderer(sort_keys=True, ensure_ascii=False)
    )
    gates: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        _exceptions_without_their_text,
        _only_what_is_allowed(on_drop),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        renderer,
    ]
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=gates,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(out),
    )
    # Libraries explain themselves at length; only their warnings matter unless somebody is looking for a fault.
    quiet = logging.INFO if threshold <= logging.DEBUG else max(threshold, logging.WARNING)
    logging.basicConfig(handlers=[_FromLibraries()], level=quiet, force=True)
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_dead_thread


def scrub(text: str) -> str:
    """Cover what looks like an address, a number, a secret or a query; people write those into any text."""
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(" " if unicodedata.category(char).startswith("C") else char for char in plain)
    plain = plain[:TEXT_MAX]
    for shape, cover in _SHAPES:
        plain = shape.sub(cover, plain)
    return plain


def _only_what_is_allowed(on_drop: Callable[[int], None]) -> Processor:
    def gate(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        name = event.get("event")
        if not isinstance(name, str) or _EVENT.fullmatch(name) is None:
            event = {**event, "event": "text.logged", "message": str(name)}
        kept = {field: _shaped(field, value) for field, value in event.items() if field in FIELDS}
        dropped = len(event) - len(kept)
        if dropped:
            kept["dropped"] = dropped
            on_drop(dropped)
        return kept

    return gate


def _shaped(field: str, value: object) -> object:
    match value:
        case Mapping():
            some = list(value.items())[:NESTED_MAX]
            return {_word(str(key)): _plain(inner) for key, inner in some}
        case tuple() | list() | set() | frozenset():
            return [_plain(inner) for inner in list(value)[:NESTED_MAX]]
        case str() if field in SENTENCES:
            return scrub(value)
        case _:
            return _plain(value)


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            shown: object = value
        case Enum():
            shown = _plain(value.value)
        case str():
            shown = _word(value)
        case datetime():
            shown = value.isoformat()
        case timedelta():
            shown = value.total_seconds()
        case BaseException():
            shown = type(value).__name__
        case _:
            shown = HIDDEN
    return shown


def _word(text: str) -> str:
    return text if _WORD.fullmatch(text) and scrub(text) == text else HIDDEN


def _exceptions_without_their_text(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> EventDict:
    """The text of a library's exception quotes URLs, statements and bodies: only our own is repeated."""
    told = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if not told:
        return event
    error = _exception_of(told)
    return {**event, **described(error)} if error else event


def described(error: BaseException) -> dict[str, str]:
    """An exception as fields that may be logged: its class, where it arose, and our own words if it is ours."""
    fields = {"error": type(error).__name__}
    if error.__traceback__ is not None:
        fields["where"] = _innermost(error.__traceback__)
    if isinstance(error, BridgeError):
        fields |= {"message": error.message, "hint": error.hint}
    return fields


def _exception_of(told: object) -> BaseException | None:
    if isinstance(told, BaseException):
        return told
    found = told[1] if isinstance(told, tuple) else sys.exc_info()[1]
    return found if isinstance(found, BaseException) else None


def _innermost(traceback: TracebackType) -> str:
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return f"{traceback.tb_frame.f_globals.get('__name__', '?')}:{traceback.tb_lineno}"


class _FromLibraries(logging.Handler):
    """Sends what libraries log through our gate: their template, never the values they fill in."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger()
        fields = {"logger": record.name, "message": str(record.msg), "exc_info": record.exc_info}
        logger.log(record.levelno, "library.logged", **fields)


def _log_dead_thread(died: threading.ExceptHookArgs) -> None:
    structlog.get_logger().critical("thread.died", exc_info=died.exc_value)
