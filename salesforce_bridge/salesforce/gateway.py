"""The gate to one org: everything the bridge asks of Salesforce, in its own words."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Self, TypeVar
from urllib.parse import quote, urlsplit

from salesforce_bridge.permissions.contact_points import PointKeys
from salesforce_bridge.permissions.keys import ContactId, OrgId
from salesforce_bridge.reconcile.facts import ContactSnapshot, LeadFlags, RowSnapshot
from salesforce_bridge.reconcile.intent import Target, Write
from salesforce_bridge.salesforce.budget import Usage
from salesforce_bridge.salesforce.client import Client, Part, Reply
from salesforce_bridge.salesforce.complaints import Refusal, refusal
from salesforce_bridge.salesforce.faults import (
    AnswerMalformed,
    FieldMissing,
    RecordMalformed,
    fault,
)
from salesforce_bridge.salesforce.features import Feature, features_in, questions
from salesforce_bridge.salesforce.fields import (
    CONTACT_QUERY,
    HEARTBEAT,
    HEARTBEAT_KEY,
    INDIVIDUAL,
    INDIVIDUAL_KEY,
    INDIVIDUAL_QUERY,
    LEAD,
    LEAD_KEY,
    LEAD_QUERY,
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
    by_ids,
    groups,
    read_lists,
    stamps_since,
)
from salesforce_bridge.salesforce.records import (
    Json,
    Stamp,
    combined_leads,
    parse_contact,
    parse_lead,
    parse_row,
    parse_stamp,
    render_moment,
    soql_text,
)
from salesforce_bridge.salesforce.schema import Finding, check_schema
from salesforce_bridge.salesforce.writing import Outcome, write_all

POLL_PAGE = PAGE
POLL_PAGES_MAX = 50  # a hundred thousand stamps a stream; what follows is read by the next poll
LIST_PAGES_MAX = 500
ASKED_EVERY = timedelta(hours=1)  # what an org offers changes when an admin switches something on

Fact = TypeVar("Fact")
Found = TypeVar("Found")
_STREAMS = 3  # of stamps in a poll


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
    individuals: tuple[
        Stamp, ...
    ] = ()  # privacy records, stamped since the same moment as Contacts
    individuals_complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLook:
    """What hangs on Contacts besides themselves."""

    rows: tuple[RowSnapshot, ...]
    leads: Mapping[ContactId, LeadFlags]


class Gateway:
    """Speaks facts on our side and API calls on theirs."""

    def __init__(
        self,
        *,
        client: Client,
        keys: PointKeys,
        default_country: str,
        proof_keys: Mapping[str, bytes],
        features: frozenset[str] | None,
        set_aside: Callable[[RecordMalformed], None] | None = None,
    ) -> None:
        self._client = client
        self._keys = keys
        self._default_country = default_country
        self._proof_keys = proof_keys
        self._set_aside = set_aside
        self._finds_out = features is None
        self._features = features or frozenset()
        self._asked_at: datetime | None = None

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

    @property
    def features(self) -> frozenset[str]:
        """Which optional objects this org has, as of the last poll that asked."""
        return self._features

    @property
    def key_version(self) -> int:
        """Under which key the contact points that it reads are fingerprinted."""
        return self._keys.current

    def assume_country(self, country: str) -> None:
        """Read numbers that name no country as the policy in force says."""
        self._default_country = country

    def poll(
        self, contacts_since: datetime, rows_since: datetime, heartbeat: Heartbeat | None
    ) -> Poll:
        """Read what was stamped since, deletions included, and show the heartbeat: one call when idle.

        Now and then the same call also asks what the org offers.
        """
        before = self._client.calls
        asked = questions() if self._finds_out and self._asked_at is None else ()
        listings = [
            stamps_since(Target.CONTACT.value, contacts_since, also_read=(MASTER_FIELD,)),
            stamps_since(Target.ROW.value, rows_since),
        ]
        if asked or Feature.INDIVIDUAL in self._features:
            listings.append(stamps_since(INDIVIDUAL, contacts_since, optional=True))
        lists = read_lists(
            self._client,
            [replace(each, limit=POLL_PAGE) for each in listings],
            pages_max=POLL_PAGES_MAX,
            also=(*asked, *((_heartbeat_part(heartbeat),) if heartbeat else ())),
        )
        server_time = lists.first.server_time
        if server_time is None:
            raise fault(AnswerMalformed, "no Date header")
        answers = lists.first.replies[len(listings) : len(listings) + len(asked)]
        self._learn(answers, lists, at=server_time)
        contacts, rows, individuals = (*lists.rows, ())[:_STREAMS]
        refused = _refused(lists.first.replies[-1]) if heartbeat else None
        return Poll(
            server_time=server_time,
            contacts=self._stamps(Target.CONTACT.value, contacts),
            rows=self._stamps(Target.ROW.value, rows),
            individuals=self._stamps(INDIVIDUAL, individuals),
            heartbeat_accepted=heartbeat is not None and refused is None,
            calls=self._client.calls - before,
            contacts_complete=lists.complete[0],
            rows_complete=lists.complete[1],
            individuals_complete=all(lists.complete[_STREAMS - 1 :]),
            heartbeat_refusal=refused.code if refused else None,
        )

    def contacts(self, ids: Collection[ContactId]) -> tuple[ContactSnapshot, ...]:
        """Contacts as they are now, deleted ones included; whoever is missing is not there or not visible."""
        return self._contacts_by("Id", ids)

    def contacts_of_individuals(self, ids: Collection[str]) -> tuple[ContactSnapshot, ...]:
        """The Contacts that these privacy records hang on."""
        return self._contacts_by(INDIVIDUAL_KEY, ids)

    def rows(self, ids: Collection[str]) -> tuple[RowSnapshot, ...]:
        """Rows as they are now, deleted ones included."""
        listings = by_ids(Target.ROW.value, ROW_QUERY, "Id", ids)
        return tuple(self._parsed(self._listed(listings), self._row))

    def first_look(
        self, contact_ids: Collection[ContactId], *, strangers: Collection[ContactId] = ()
    ) -> FirstLook:
        """All rows of Contacts, and the Leads that those met for the first time were converted from."""
        rows = by_ids(Target.ROW.value, ROW_QUERY, PARENT_FIELD, contact_ids)
        wanted = strangers if Feature.LEAD in self._features else ()
        leads = tuple(
            replace(each, optional=True) for each in by_ids(LEAD, LEAD_QUERY, LEAD_KEY, wanted)
        )
        found = tuple(self._listed((*rows, *leads)))
        converted = [each for each in found if LEAD_KEY in each]
        return FirstLook(
            rows=tuple(self._parsed((each for each in found if LEAD_KEY not in each), self._row)),
            leads=combined_leads(self._parsed(converted, parse_lead)),
        )

    def leads(self, ids: Collection[str]) -> Mapping[ContactId, LeadFlags]:
        """The opt-outs of Leads that could not be understood before, by the Contact that each became."""
        if Feature.LEAD not in self._features:
            return {}
        listings = by_ids(LEAD, LEAD_QUERY, "Id", ids)
        asked = tuple(replace(each, optional=True) for each in listings)
        return combined_leads(self._parsed(self._listed(asked), parse_lead))

    def orphan_rows(self) -> tuple[RowSnapshot, ...]:
        """All rows that name no Contact any more."""
        listing = Listing(
            table=Target.ROW.value,
            fields=ROW_QUERY,
            where=f"{PARENT_FIELD} = null",
            order=Order.ID,
        )
        return tuple(self._parsed(self._listed((listing,)), self._row))

    def contacts_after(
        self, contact_id: ContactId | None, limit: int = PAGE
    ) -> tuple[ContactSnapshot, ...]:
        """The next Contacts in the order of their ids, for a backfill; fewer than asked only at the end."""
        found: list[Json] = []
        for _ in range(LIST_PAGES_MAX):
            last = str(found[-1]["Id"]) if found else contact_id
            page = self._next_page(last, limit=min(limit - len(found), PAGE))
            found.extend(page.rows[0])
            if page.complete[0] or len(found) >= limit:
                break
        else:
            raise fault(AnswerMalformed, "a list without an end")
        return tuple(self._parsed(found, self._contact))

    def write(self, writes: Sequence[Write]) -> tuple[Outcome, ...]:
        """Send writes in their order, a thousand records a call, and say what became of each."""
        try:
            return write_all(self._client, writes)
        except FieldMissing:
            self._asked_at = None
            raise

    def check_schema(self, *, channels: Collection[str] = ()) -> tuple[Finding, ...]:
        """What the org lacks; nothing where all is well. Channels are those of the policy."""
        self._asked_at = None  # what it offers besides is asked again by the next poll
        return check_schema(self._client, channels=channels)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _learn(self, answers: Sequence[Reply], lists: Lists, *, at: datetime) -> None:
        if answers:
            self._features = features_in(answers)
            self._asked_at = at
        elif self._asked_at is not None and at - self._asked_at >= ASKED_EVERY:
            self._asked_at = None
        if any(lists.absent):
            self._features -= {Feature.INDIVIDUAL.value}

    def _contact(self, row: Json) -> ContactSnapshot:
        return parse_contact(row, keys=self._keys, default_country=self._default_country)

    def _row(self, row: Json) -> RowSnapshot:
        return parse_row(
            row,
            keys=self._keys,
            default_country=self._default_country,
            proof_keys=self._proof_keys,
        )

    def _stamps(self, table: str, rows: Iterable[Json]) -> tuple[Stamp, ...]:
        return tuple(self._parsed(rows, partial(parse_stamp, table)))

    def _contacts_by(self, column: str, ids: Collection[str]) -> tuple[ContactSnapshot, ...]:
        def ask(fields: tuple[str, ...]) -> tuple[Json, ...]:
            if column not in fields:
                return ()
            return tuple(self._listed(by_ids(Target.CONTACT.value, fields, column, ids)))

        return tuple(self._parsed(self._with_individuals(ask), self._contact))

    def _next_page(self, last: str | None, *, limit: int) -> Lists:
        def ask(fields: tuple[str, ...]) -> Lists:
            listing = Listing(
                table=Target.CONTACT.value,
                fields=fields,
                where=f"Id > {soql_text(last)}" if last else "",
                order=Order.ID,
                limit=limit,
            )
            return read_lists(self._client, (listing,), pages_max=1)

        return self._with_individuals(ask)

    def _with_individuals(self, ask: Callable[[tuple[str, ...]], Found]) -> Found:
        """Ask for privacy records too, where there are any; that they have just gone must not end the reading."""
        if Feature.INDIVIDUAL in self._features:
            try:
                return ask((*CONTACT_QUERY, *INDIVIDUAL_QUERY))
            except FieldMissing:
                self._features -= {Feature.INDIVIDUAL.value}
        return ask(CONTACT_QUERY)

    def _listed(self, listings: Sequence[Listing]) -> Iterator[Json]:
        for group in groups(listings, QUERIES_PER_CALL):
            lists = read_lists(self._client, group, pages_max=LIST_PAGES_MAX)
            _check_complete(lists)
            for rows in lists.rows:
                yield from rows

    def _parsed(self, rows: Iterable[Json], parse: Callable[[Json], Fact]) -> Iterator[Fact]:
        """One bad record is set aside where somebody collects them; otherwise it is not passed over in silence."""
        for row in rows:
            try:
                yield parse(row)
            except RecordMalformed as error:
                if self._set_aside is None:
                    raise
                self._set_aside(error)


# Since enhanced domains every org but production carries its kind in its host name.
_NOT_PRODUCTION = (".sandbox.", ".scratch.", ".develop.", ".trailblaze.", ".demo.", ".patch.")


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
