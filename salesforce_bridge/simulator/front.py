"""The way of a request through the org: trouble, session, counting, the answer, the log."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from salesforce_bridge.simulator.auth import Door
from salesforce_bridge.simulator.call import Call, http_date
from salesforce_bridge.simulator.calls import CallLog, CallSeen
from salesforce_bridge.simulator.composite_calls import inner_calls
from salesforce_bridge.simulator.faults import Faults, Trouble
from salesforce_bridge.simulator.limits import Usage
from salesforce_bridge.simulator.org import Org
from salesforce_bridge.simulator.org_calls import versions
from salesforce_bridge.simulator.refusals import RequestRefused, not_found
from salesforce_bridge.simulator.routes import answer
from salesforce_bridge.simulator.scripts import Scripts, play_scenes
from salesforce_bridge.simulator.sessions import Cursors, Session, Sessions
from salesforce_bridge.simulator.wire import Request, Response, html, refused

URI_MAX = 16_384
Wait = Callable[[float], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How a request ends: an answer, perhaps crippled, or none at all."""

    response: Response | None
    date: str
    truncated: bool = False
    trickle: float = 0


class Front:
    """What stands between the network and the org."""

    def __init__(self, org: Org, sessions: Sessions, door: Door) -> None:
        self.org = org
        self.sessions = sessions
        self.door = door
        self.cursors = Cursors(org.clock)
        self.usage = Usage()
        self.faults = Faults()
        self.scripts = Scripts()
        self.log = CallLog()
        self._open: Mapping[tuple[str, str], Callable[[Request], Response]] = MappingProxyType(
            {
                ("GET", "/services/data"): lambda _request: versions(),
                ("POST", "/services/oauth2/token"): door.token,
                ("POST", "/services/oauth2/revoke"): door.revoke,
                ("GET", "/services/oauth2/revoke"): door.revoke,
            }
        )
        """What is answered without a session and counts as no call."""

    def date(self) -> str:
        """The server's time as the Date header says it."""
        return http_date(self.org.clock.now())

    def handle(self, request: Request, wait: Wait) -> Sent:
        """See one request through; `wait` lets time pass outside the lock."""
        with self.org.lock:
            trouble = self.faults.befalling(request)
        if trouble.delay:
            wait(trouble.delay)
        with self.org.lock:
            return self._handled(request, trouble)

    def _handled(self, request: Request, trouble: Trouble) -> Sent:
        number = self.log.next_number()
        session = self._session(request)
        if trouble.expires_session and session is not None:
            self.sessions.revoke(session.token)
        if trouble.drops("before"):
            response = None
            counted = False
        else:
            response, counted = self._worked(request, trouble)
            response = None if trouble.drops("after") else trouble.garbled(response)
        self.log.note(
            CallSeen(
                number=number,
                method=request.method,
                path=request.path,
                query=request.readable_query,
                status=None if response is None else response.status,
                user=None if session is None else session.user.person.key,
                api=counted,
                subrequests=_subrequests(request),
            )
        )
        moment = self.org.clock.now() + timedelta(seconds=trouble.skew)
        return Sent(
            response=response,
            date=http_date(moment),
            truncated=trouble.truncates,
            trickle=trouble.trickle,
        )

    def _worked(self, request: Request, trouble: Trouble) -> tuple[Response, bool]:
        too_long = _too_long(request)
        if too_long is not None:
            return too_long, False
        instead = trouble.answer()
        if instead is not None:
            return self._with_usage(request, instead), False
        if request.path.startswith("/services/data/"):
            return self._api_call(request, trouble)
        resource = self._open.get((request.method, request.path))
        return refused(not_found()) if resource is None else resource(request), False

    def _api_call(self, request: Request, trouble: Trouble) -> tuple[Response, bool]:
        try:
            session = self.sessions.of(request.header("Authorization"))
        except RequestRefused as refusal:
            return refused(refusal), False
        try:
            self.usage.count()
        except RequestRefused as refusal:
            return self._with_usage(request, refused(refusal)), False
        scenes = self.scripts.due(request)
        play_scenes(self.org, scenes, before=True)
        response = self._answered(request, session, trouble)
        play_scenes(self.org, scenes, before=False)
        return self._with_usage(request, response), True

    def _answered(self, request: Request, session: Session, trouble: Trouble) -> Response:
        call = Call(
            org=self.org,
            session=session,
            cursors=self.cursors,
            usage=self.usage,
            version="",
            request=request,
            parts=(),
            row_fault=trouble.refusal,
        )
        done = False
        try:
            response = answer(call, request)
            done = True
        except RequestRefused as refusal:
            response = refused(refusal)
        finally:
            if not done:
                self.org.store.roll_back(0)
            self.org.store.commit()
        return response

    def _with_usage(self, request: Request, response: Response) -> Response:
        # The network in front of the org, which speaks no JSON, knows of no limits.
        if response.raw is not None or not request.path.startswith("/services/data/"):
            return response
        headers = {"Sforce-Limit-Info": self.usage.header, **response.headers}
        return Response(
            status=response.status, content=response.content, raw=response.raw, headers=headers
        )

    def _session(self, request: Request) -> Session | None:
        try:
            return self.sessions.of(request.header("Authorization"))
        except RequestRefused:
            return None


def _too_long(request: Request) -> Response | None:
    if len(request.target) > URI_MAX:
        return html(414, "Request-URI Too Long")
    headers = sum(len(name) + len(value) for name, value in request.headers.items())
    if len(request.target) + headers > URI_MAX:
        return html(431, "Request Header Fields Too Large")
    return None


def _subrequests(request: Request) -> tuple[str, ...]:
    if request.method == "POST" and request.path.endswith("/composite"):
        return inner_calls(request.body)
    return ()
