"""The resources that tell of the org itself: versions, limits, objects."""

from salesforce_bridge.simulator.call import Call, header_date, http_date
from salesforce_bridge.simulator.describe import describe, describe_global
from salesforce_bridge.simulator.refusals import Json, RequestRefused
from salesforce_bridge.simulator.wire import Response

OLDEST, NEWEST = 31, 68
RETIRED = range(1, OLDEST)
_SEASONS = ("Winter", "Spring", "Summer")


def versions() -> Response:
    """Answer GET /services/data, which asks for no session and counts no call."""
    return Response(
        status=200,
        content=[
            {
                "label": f"{_SEASONS[(number - 59) % 3]} '{24 + (number - 59) // 3}",
                "url": f"/services/data/v{number}.0",
                "version": f"{number}.0",
            }
            for number in range(OLDEST, NEWEST + 1)
        ],
    )


def resources(call: Call) -> Response:
    """Answer GET /services/data/vX."""
    names = ("composite", "limits", "query", "queryAll", "sobjects")
    content: dict[str, Json] = {name: f"{call.root}/{name}" for name in names}
    return Response(status=200, content=content)


def limits(call: Call) -> Response:
    """Answer GET limits."""
    if not call.user.access.has_user_permission("ViewSetup"):
        raise RequestRefused(403, "INSUFFICIENT_ACCESS", "insufficient access rights")
    return Response(status=200, content=call.usage.resource())


def objects(call: Call) -> Response:
    """Answer GET sobjects."""
    told = describe_global(call.org.project, call.user.access, version=call.version)
    return Response(status=200, content=told)


def object_basics(call: Call) -> Response:
    """Answer GET sobjects/{type}."""
    found = call.object_type(call.parts[0])
    told = describe(found, call.user.access, version=call.version)
    inner = {"fields", "childRelationships", "recordTypeInfos", "supportedScopes"}
    summary: dict[str, Json] = {name: each for name, each in told.items() if name not in inner}
    return Response(status=200, content={"objectDescribe": summary, "recentItems": []})


def object_description(call: Call) -> Response:
    """Answer GET sobjects/{type}/describe."""
    found = call.object_type(call.parts[0])
    headers = {"Last-Modified": http_date(call.org.deployed_at)}
    since = header_date(call, "If-Modified-Since")
    if since is not None and call.org.deployed_at.replace(microsecond=0) <= since:
        return Response(status=304, headers=headers)
    told = describe(
        found,
        call.user.access,
        children=call.org.project.children(found.name),
        version=call.version,
    )
    return Response(status=200, content=told, headers=headers)
