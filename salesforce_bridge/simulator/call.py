"""One authenticated call to the data API, and what its answer needs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from salesforce_bridge.simulator.dml import RowFault, Transaction
from salesforce_bridge.simulator.limits import Usage
from salesforce_bridge.simulator.org import Org
from salesforce_bridge.simulator.refusals import RequestRefused, not_found
from salesforce_bridge.simulator.schema import ObjectType
from salesforce_bridge.simulator.sessions import Cursors, Session
from salesforce_bridge.simulator.users import User
from salesforce_bridge.simulator.wire import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request with its session, its API version and the rest of its path."""

    org: Org
    session: Session
    cursors: Cursors
    usage: Usage
    version: str
    request: Request
    parts: tuple[str, ...]
    """What the route left open, such as the object's name and the record's id."""
    row_fault: RowFault | None = None

    @property
    def user(self) -> User:
        """Whose call it is."""
        return self.session.user

    @property
    def root(self) -> str:
        """Where the resources of this API version live."""
        return f"/services/data/v{self.version}"

    def transaction(self) -> Transaction:
        """A unit of work of this user, now."""
        return Transaction(self.org, self.user, row_fault=self.row_fault)

    def object_type(self, name: str) -> ObjectType:
        """The object that a path names; to the user, one without access does not exist."""
        found = self.org.project.object(name)
        if found is None or not self.user.sees_object(found):
            raise not_found()
        return found


def http_date(moment: datetime) -> str:
    """A moment as headers say it."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def header_date(call: Call, name: str) -> datetime | None:
    """The moment in a conditional header."""
    text = call.request.header(name)
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError as error:
        raise RequestRefused(400, "INVALID_HEADER", f"Invalid value for header {name}") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def refuse_conditions(call: Call) -> None:
    """Refuse conditional headers where Salesforce would silently write without the guard."""
    for name in ("If-Unmodified-Since", "If-Modified-Since", "If-Match", "If-None-Match"):
        if call.request.header(name) is not None:
            message = f"{name} is not supported by this resource"
            raise RequestRefused(400, "INVALID_HEADER", message)
