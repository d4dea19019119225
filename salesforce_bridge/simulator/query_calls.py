"""The query resources: first pages, next pages."""

import re

from salesforce_bridge.simulator.call import Call
from salesforce_bridge.simulator.refusals import Json, RequestRefused
from salesforce_bridge.simulator.soql import select
from salesforce_bridge.simulator.soql_drawing import Selection
from salesforce_bridge.simulator.wire import Response

BATCH_MIN, BATCH_MAX = 200, 2000
CURSOR_PREFIX = "01g"
_BATCH_SIZE = re.compile(r"\s*batchSize\s*=\s*(\d+)\s*", re.IGNORECASE)
_LOCATOR = re.compile(r"(01g[0-9A-Za-z]{12,15})-(\d+)")


def query(call: Call) -> Response:
    """Answer GET query."""
    return _first_page(call, all_rows=False)


def query_all(call: Call) -> Response:
    """Answer GET queryAll, which sees the recycle bin."""
    return _first_page(call, all_rows=True)


def next_page(call: Call) -> Response:
    """Answer GET query/{locator}."""
    located = _LOCATOR.fullmatch(call.parts[0])
    if located is None:
        raise RequestRefused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    cursor = call.cursors.of(located[1], call.session)
    start = int(located[2])
    if start >= cursor.selection.size:
        raise RequestRefused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(call, cursor.selection, located[1], start, cursor.length)


def _first_page(call: Call, *, all_rows: bool) -> Response:
    text = call.request.parameter("q")
    if not text:
        raise RequestRefused(400, "MALFORMED_QUERY", "A query string has to be specified")
    length = _batch_size(call)
    selection = select(call.org, call.user, text, all_rows=all_rows, version=call.version)
    cursor_id = ""
    if len(selection.ids) > length:
        cursor_id = call.org.issuer.next(CURSOR_PREFIX)
        call.cursors.keep(cursor_id, call.session, selection, length)
    return _page(call, selection, cursor_id, 0, length)


def _page(call: Call, selection: Selection, cursor_id: str, start: int, length: int) -> Response:
    end = start + length
    page: dict[str, Json] = {"totalSize": selection.size, "done": end >= len(selection.ids)}
    if not page["done"]:
        page["nextRecordsUrl"] = f"{call.root}/query/{cursor_id}-{end}"
    page["records"] = selection.page(start, length)
    return Response(status=200, content=page)


def _batch_size(call: Call) -> int:
    options = call.request.header("Sforce-Query-Options")
    if options is None:
        return BATCH_MAX
    asked = _BATCH_SIZE.fullmatch(options)
    if asked is None or not BATCH_MIN <= int(asked[1]) <= BATCH_MAX:
        message = f"Invalid batch size; it must be between {BATCH_MIN} and {BATCH_MAX}"
        raise RequestRefused(400, "INVALID_BATCH_SIZE", message)
    return int(asked[1])
