"""Reading lists of records: keyset pages, several lists in one call, never ended by a short page."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from urllib.parse import quote

from salesforce_bridge.salesforce.client import Answer, Client, Part, Reply, Resend
from salesforce_bridge.salesforce.faults import AnswerMalformed, fault, translate
from salesforce_bridge.salesforce.records import Json, parse_moment, soql_moment, soql_text

PAGE = 2_000
QUERIES_PER_CALL = 5


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """What was read of several listings, in their order."""

    rows: tuple[tuple[Json, ...], ...]
    complete: tuple[bool, ...]  # false where more pages follow than were allowed
    first: Answer  # to the call that carried the other parts


def read_lists(
    client: Client, listings: Sequence[Listing], *, pages_max: int, also: tuple[Part, ...] = ()
) -> Lists:
    """Read up to five lists together, a page of each in every call, until each has ended."""
    rows: list[list[Json]] = [[] for _ in listings]
    open_lists = list(range(len(listings)))
    first: Answer | None = None
    for _ in range(pages_max):
        asked = tuple(open_lists)
        parts = [listings[at].part(rows[at][-1] if rows[at] else None) for at in asked]
        extra = also if first is None else ()

        def read(answer: Answer, count: int = len(asked)) -> tuple[Answer, list[_Page]]:
            return answer, [_page(reply) for reply in answer.replies[:count]]

        answer, pages = client.composite((*parts, *extra), resend=Resend.ALWAYS, read=read)
        first = first or answer
        for at, page in zip(asked, pages, strict=True):
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
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    rows: tuple[Json, ...]
    done: bool
    total: int

    def ends(self, limit: int) -> bool:
        """A short page proves nothing: the server may shrink pages as it likes."""
        return self.done and self.total < limit


def _page(reply: Reply) -> _Page:
    body = reply.body
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
