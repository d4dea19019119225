"""Reading lists of records: keyset pages, several lists in one call, never ended by a short page."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

from salesforce_bridge.salesforce.client import Answer, Client, Part, Reply, Resend
from salesforce_bridge.salesforce.faults import AnswerMalformed, FieldMissing, fault, translate
from salesforce_bridge.salesforce.records import (
    Json,
    long_id,
    parse_moment,
    soql_moment,
    soql_text,
    soql_texts,
)

PAGE = 2_000
QUERIES_PER_CALL = 5
IDS_PER_QUERY = 300

Each = TypeVar("Each")


class Order(Enum):
    """In which order a list is read, and so how it is resumed."""

    STAMP = "SystemModstamp, Id"
    ID = "Id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One list of records to be read."""

    table: str
    fields: tuple[str, ...]
    where: str
    order: Order
    with_deleted: bool = True
    limit: int = PAGE
    optional: bool = (
        False  # an org that lacks the object, or a field of it, has none of these records
    )

    def part(self, after: Json | None) -> Part:
        """Ask for the page that follows a record, or for the first one."""
        condition = self.where if after is None else self._beyond(after)
        clauses = [
            f"SELECT {', '.join(self.fields)}",
            f"FROM {self.table}",
            *([f"WHERE {condition}"] if condition else []),
            f"ORDER BY {self.order.value}",
            f"LIMIT {self.limit}",
        ]
        soql = " ".join(clauses)
        verb = "queryAll" if self.with_deleted else "query"
        return Part(method="GET", path=f"{verb}?q={quote(soql, safe='')}")

    def _beyond(self, after: Json) -> str:
        key = soql_text(str(after["Id"]))
        if self.order is Order.ID:
            rest = f"Id > {key}"
        else:
            # A chunk of 200 rows shares one stamp, so the stamp alone would skip or repeat.
            stamp = soql_moment(parse_moment(str(after["SystemModstamp"])))
            return f"(SystemModstamp = {stamp} AND Id > {key}) OR SystemModstamp > {stamp}"
        return f"{self.where} AND {rest}" if self.where else rest


def stamps_since(
    table: str, since: datetime, *, also_read: tuple[str, ...] = (), optional: bool = False
) -> Listing:
    """List what was stamped since, deletions included, without what it says."""
    return Listing(
        table=table,
        fields=("Id", "SystemModstamp", "IsDeleted", *also_read),
        where=f"SystemModstamp >= {soql_moment(since)}",
        order=Order.STAMP,
        optional=optional,
    )


def by_ids(
    table: str, fields: tuple[str, ...], column: str, ids: Collection[str]
) -> tuple[Listing, ...]:
    """List the records whose column holds one of these ids, deleted ones included."""
    wanted = sorted({long_id(each) for each in ids})
    return tuple(
        Listing(
            table=table,
            fields=fields,
            where=f"{column} IN {soql_texts(group)}",
            order=Order.ID,
        )
        for group in groups(wanted, IDS_PER_QUERY)
    )


def groups(whole: Sequence[Each], size: int) -> Iterator[tuple[Each, ...]]:
    """Cut a whole into parts of at most `size`."""
    return (tuple(whole[start : start + size]) for start in range(0, len(whole), size))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """What was read of several listings, in their order."""

    rows: tuple[tuple[Json, ...], ...]
    complete: tuple[bool, ...]  # false where more pages follow than were allowed
    first: Answer  # to the call that carried the other parts
    absent: tuple[bool, ...]  # true where the org has no such records to ask for


def read_lists(
    client: Client, listings: Sequence[Listing], *, pages_max: int, also: tuple[Part, ...] = ()
) -> Lists:
    """Read up to five lists together, a page of each in every call, until each has ended."""
    rows: list[list[Json]] = [[] for _ in listings]
    open_lists = list(range(len(listings)))
    absent: set[int] = set()
    first: Answer | None = None
    for _ in range(pages_max):
        asked = tuple(open_lists)
        parts = [listings[at].part(rows[at][-1] if rows[at] else None) for at in asked]
        extra = also if first is None else ()

        def read(
            answer: Answer, asked: tuple[int, ...] = asked
        ) -> tuple[Answer, list[_Page | None]]:
            pairs = zip(asked, answer.replies, strict=False)
            return answer, [_page(reply, optional=listings[at].optional) for at, reply in pairs]

        answer, pages = client.composite((*parts, *extra), resend=Resend.ALWAYS, read=read)
        first = first or answer
        for at, page in zip(asked, pages, strict=True):
            if page is None:
                absent.add(at)
                open_lists.remove(at)
                continue
            _check_progress(rows[at], page)
            rows[at].extend(page.rows)
            if page.ends(listings[at].limit):
                open_lists.remove(at)
        if not open_lists:
            break
    assert first is not None, "at least one page is read"
    return Lists(
        rows=tuple(tuple(each) for each in rows),
        complete=tuple(at not in open_lists for at in range(len(listings))),
        first=first,
        absent=tuple(at in absent for at in range(len(listings))),
    )


def is_absent(reply: Reply) -> bool:
    """Say whether an answer means that the org lacks the object or one of the fields asked for."""
    return reply.status != HTTPStatus.OK and isinstance(
        translate(reply.status, reply.body), FieldMissing
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    rows: tuple[Json, ...]
    done: bool
    total: int

    def ends(self, limit: int) -> bool:
        """A short page proves nothing: the server may shrink pages as it likes."""
        return self.done and self.total < limit


def _page(reply: Reply, *, optional: bool) -> _Page | None:
    body = reply.body
    if optional and is_absent(reply):
        return None
    if reply.status != HTTPStatus.OK:
        raise translate(reply.status, body)
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(records, list):
        raise fault(AnswerMalformed, "a query without records")
    done, total = body.get("done"), body.get("totalSize")
    if not isinstance(done, bool) or not isinstance(total, int):
        raise fault(AnswerMalformed, "a query that does not say whether it is done")
    if (done and total != len(records)) or not all(_keyed(record) for record in records):
        raise fault(AnswerMalformed, "a query whose records do not add up")
    return _Page(rows=tuple(records), done=done, total=total)


def _keyed(record: object) -> bool:
    return isinstance(record, dict) and isinstance(record.get("Id"), str)


def _check_progress(before: Sequence[Json], page: _Page) -> None:
    """A page that brings nothing new would make us ask for ever."""
    if not page.done and not page.rows:
        raise fault(AnswerMalformed, "an empty page that is not the last")
    if before and page.rows and page.rows[0]["Id"] == before[-1]["Id"]:
        raise fault(AnswerMalformed, "the same page again")
