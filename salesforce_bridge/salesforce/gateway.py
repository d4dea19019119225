"""The gate to one org: everything the bridge asks of Salesforce, in its own words."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import quote, urlsplit

from salesforce_bridge.permissions.contact_points import PointKeys
from salesforce_bridge.permissions.keys import ContactId, OrgId
from salesforce_bridge.reconcile.facts import ContactSnapshot, RowSnapshot
from salesforce_bridge.reconcile.intent import Target, Write
from salesforce_bridge.salesforce.auth import Auth, Credentials
from salesforce_bridge.salesforce.budget import Meter, Usage
from salesforce_bridge.salesforce.client import Client, Part, Reply, Retries
from salesforce_bridge.salesforce.complaints import Refusal, refusal
from salesforce_bridge.salesforce.faults import AnswerMalformed, RecordMalformed, fault
from salesforce_bridge.salesforce.fields import (
    CONTACT_QUERY,
    HEARTBEAT,
    HEARTBEAT_KEY,
    MASTER_FIELD,
    PARENT_FIELD,
    ROW_QUERY,
)
from salesforce_bridge.salesforce.reading import (
    PAGE,
    QUERIES_PER_CALL,
    Listing,
    Lists,
    Order,
    read_lists,
)
from salesforce_bridge.salesforce.records import (
    Json,
    Stamp,
    long_id,
    parse_contact,
    parse_row,
    parse_stamp,
    render_moment,
    soql_moment,
    soql_text,
    soql_texts,
)
from salesforce_bridge.salesforce.schema import Finding, check_schema
from salesforce_bridge.salesforce.transport import open_session
from salesforce_bridge.salesforce.writing import Outcome, write_all

IDS_PER_QUERY = 300
POLL_PAGES_MAX = 50  # a hundred thousand stamps a stream; what follows is read by the next poll
LIST_PAGES_MAX = 500

Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where Salesforce is and how patiently it is spoken to."""

    login_url: str
    api_version: str = "66.0"
    ca_file: Path | None = None
    proxy: str | None = None
    connect_timeout: timedelta = timedelta(seconds=10)
    read_timeout: timedelta = timedelta(seconds=60)
    login_timeout: timedelta = timedelta(seconds=30)
    retries: Retries = field(default_factory=Retries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which org this is."""

    org_id: OrgId
    sandbox: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The sign of life that the formulas of the org go by."""

    key: str
    last_cycle_at: datetime
    max_staleness_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What changed in the org, and when it was asked by the org's own clock."""

    server_time: datetime
    contacts: tuple[Stamp, ...]
    rows: tuple[Stamp, ...]
    heartbeat_accepted: bool
    calls: int
    # False: more was waiting than one poll reads. Go on from the last stamp, never from `server_time`.
    contacts_complete: bool = True
    rows_complete: bool = True
    heartbeat_refusal: str | None = None  # the code, where it was not accepted


class Gateway:
    """Speaks facts on our side and API calls on theirs."""

    def __init__(
        self,
        *,
        client: Client,
        keys: PointKeys,
        default_country: str,
        set_aside: Callable[[RecordMalformed], None] | None = None,
    ) -> None:
        self._client = client
        self._keys = keys
        self._default_country = default_country
        self._set_aside = set_aside

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def calls(self) -> int:
        """API calls sent so far, those that failed included."""
        return self._client.calls

    @property
    def usage(self) -> Usage | None:
        """What the org has used of its daily calls, as of the last answer."""
        return self._client.usage

    def identity(self) -> Identity:
        """Which org the credentials lead to; costs a login at most, and no API call."""
        token = self._client.token
        host = urlsplit(token.instance_url).hostname or ""
        return Identity(org_id=token.org_id, sandbox=any(part in host for part in _NOT_PRODUCTION))

    def poll(
        self, contacts_since: datetime, rows_since: datetime, heartbeat: Heartbeat | None
    ) -> Poll:
        """Read what was stamped since, deletions included, and show the heartbeat: one call when idle."""
        before = self._client.calls
        also = (_heartbeat_part(heartbeat),) if heartbeat else ()
        lists = read_lists(
            self._client,
            (
                _stamps(Target.CONTACT, contacts_since, also_read=(MASTER_FIELD,)),
                _stamps(Target.ROW, rows_since),
            ),
            pages_max=POLL_PAGES_MAX,
            also=also,
        )
        if lists.first.server_time is None:
            raise fault(AnswerMalformed, "no Date header")
        contacts, rows = lists.rows
        refused = _refused(lists.first.replies[-1]) if heartbeat else None
        return Poll(
            server_time=lists.first.server_time,
            contacts=tuple(self._parsed(contacts, partial(parse_stamp, Target.CONTACT.value))),
            rows=tuple(self._parsed(rows, partial(parse_stamp, Target.ROW.value))),
            heartbeat_accepted=heartbeat is not None and refused is None,
            calls=self._client.calls - before,
            contacts_complete=lists.complete[0],
            rows_complete=lists.complete[1],
            heartbeat_refusal=refused.code if refused else None,
        )

    def contacts(self, ids: Collection[ContactId]) -> tuple[ContactSnapshot, ...]:
        """Contacts as they are now, deleted ones included; whoever is missing is not there or not visible."""
        return self._facts(_by_ids(Target.CONTACT, CONTACT_QUERY, "Id", ids), self._contact)

    def rows(self, ids: Collection[str]) -> tuple[RowSnapshot, ...]:
        """Rows as they are now, deleted ones included."""
        return self._facts(_by_ids(Target.ROW, ROW_QUERY, "Id", ids), parse_row)

    def rows_of(self, contact_ids: Collection[ContactId]) -> tuple[RowSnapshot, ...]:
        """All rows that belong to these Contacts, deleted ones included."""
        return self._facts(_by_ids(Target.ROW, ROW_QUERY, PARENT_FIELD, contact_ids), parse_row)

    def orphan_rows(self) -> tuple[RowSnapshot, ...]:
        """All rows that name no Contact any more."""
        where = f"{PARENT_FIELD} = null"
        return self._facts((_whole(Target.ROW, ROW_QUERY, where),), parse_row)

    def contacts_after(
        self, contact_id: ContactId | None, limit: int = PAGE
    ) -> tuple[ContactSnapshot, ...]:
        """The next Contacts in the order of their ids, for a backfill; fewer than asked only at the end."""
        found: list[Json] = []
        for _ in range(LIST_PAGES_MAX):
            last = str(found[-1]["Id"]) if found else contact_id
            listing = _whole(
                Target.CONTACT,
                CONTACT_QUERY,
                f"Id > {soql_text(last)}" if last else "",
                with_deleted=False,
                limit=min(limit - len(found), PAGE),
            )
            page = read_lists(self._client, (listing,), pages_max=1)
            found.extend(page.rows[0])
            if page.complete[0] or len(found) >= limit:
                break
        else:
            raise fault(AnswerMalformed, "a list without an end")
        return tuple(self._parsed(found, self._contact))

    def write(self, writes: Sequence[Write]) -> tuple[Outcome, ...]:
        """Send writes in their order, a thousand records a call, and say what became of each."""
        return write_all(self._client, writes)

    def check_schema(self, *, channels: Collection[str] = ()) -> tuple[Finding, ...]:
        """What the org lacks; nothing where all is well. Channels are those of the policy."""
        return check_schema(self._client, channels=channels)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _contact(self, row: Json) -> ContactSnapshot:
        return parse_contact(row, keys=self._keys, default_country=self._default_country)

    def _facts(
        self, listings: Sequence[Listing], parse: Callable[[Json], Fact]
    ) -> tuple[Fact, ...]:
        facts: list[Fact] = []
        for group in _groups(listings, QUERIES_PER_CALL):
            lists = read_lists(self._client, group, pages_max=LIST_PAGES_MAX)
            _check_complete(lists)
            for rows in lists.rows:
                facts.extend(self._parsed(rows, parse))
        return tuple(facts)

    def _parsed(self, rows: Iterable[Json], parse: Callable[[Json], Fact]) -> Iterator[Fact]:
        """One bad record is set aside where somebody collects them; otherwise it is not passed over in silence."""
        for row in rows:
            try:
                yield parse(row)
            except RecordMalformed as error:
                if self._set_aside is None:
                    raise
                self._set_aside(error)


def open_gateway(
    *,
    endpoint: Endpoint,
    credentials: Credentials,
    keys: PointKeys,
    default_country: str,
    org_id: OrgId | None,
    now: Callable[[], datetime],
    wait: Callable[[float], bool] | None = None,
    set_aside: Callable[[RecordMalformed], None] | None = None,
) -> Gateway:
    """Make a gateway; nothing is asked of Salesforce yet. `wait` is the stop event's own, so that a stop ends waits."""
    meter = Meter()
    session = open_session(
        meter=meter,
        ca_file=endpoint.ca_file,
        proxy=endpoint.proxy,
        connect_timeout=endpoint.connect_timeout,
        read_timeout=endpoint.read_timeout,
    )
    auth = Auth(
        session=session,
        login_url=endpoint.login_url,
        credentials=credentials,
        login_timeout=endpoint.login_timeout,
        now=now,
        org_id=org_id,
    )
    client = Client(
        session=session,
        meter=meter,
        auth=auth,
        api_version=endpoint.api_version,
        retries=endpoint.retries,
        wait=wait or threading.Event().wait,
    )
    return Gateway(client=client, keys=keys, default_country=default_country, set_aside=set_aside)


# Since enhanced domains every org but production carries its kind in its host name.
_NOT_PRODUCTION = (".sandbox.", ".scratch.", ".develop.", ".trailblaze.", ".demo.", ".patch.")


def _stamps(target: Target, since: datetime, *, also_read: tuple[str, ...] = ()) -> Listing:
    return Listing(
        table=target.value,
        fields=("Id", "SystemModstamp", "IsDeleted", *also_read),
        where=f"SystemModstamp >= {soql_moment(since)}",
        order=Order.STAMP,
    )


def _whole(
    target: Target,
    fields: tuple[str, ...],
    where: str,
    *,
    with_deleted: bool = True,
    limit: int = PAGE,
) -> Listing:
    return Listing(
        table=target.value,
        fields=fields,
        where=where,
        order=Order.ID,
        with_deleted=with_deleted,
        limit=limit,
    )


def _by_ids(
    target: Target, fields: tuple[str, ...], column: str, ids: Collection[str]
) -> tuple[Listing, ...]:
    wanted = sorted({long_id(each) for each in ids})
    return tuple(
        _whole(target, fields, f"{column} IN {soql_texts(group)}")
        for group in _groups(wanted, IDS_PER_QUERY)
    )


def _groups(whole: Sequence[Fact], size: int) -> Iterator[tuple[Fact, ...]]:
    return (tuple(whole[start : start + size]) for start in range(0, len(whole), size))


def _check_complete(lists: Lists) -> None:
    if not all(lists.complete):
        raise fault(AnswerMalformed, "a list without an end")


def _heartbeat_part(heartbeat: Heartbeat) -> Part:
    return Part(
        method="PATCH",
        path=f"sobjects/{HEARTBEAT}/{HEARTBEAT_KEY}/{quote(heartbeat.key, safe='')}",
        body={
            "Last_Cycle_At__c": render_moment(heartbeat.last_cycle_at),
            "Max_Staleness_Minutes__c": heartbeat.max_staleness_minutes,
        },
    )


def _refused(reply: Reply) -> Refusal | None:
    return None if reply.status in _UPSERTED else refusal(reply.body, status=reply.status)


_UPSERTED = frozenset({200, 201, 204})
