"""A Salesforce that says exactly what a test tells it to, for what a well-behaved server cannot show."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses

from salesforce_bridge.permissions.contact_points import PointKeys
from salesforce_bridge.permissions.keys import ContactId, ControllerKey, OrgId, SubjectId
from salesforce_bridge.reconcile.intent import Lane, Target, Value, Verb, Write
from salesforce_bridge.salesforce.auth import ClientCredentials, Credentials
from salesforce_bridge.salesforce.client import Retries
from salesforce_bridge.salesforce.faults import RecordMalformed
from salesforce_bridge.salesforce.gateway import Gateway
from salesforce_bridge.salesforce.opening import Endpoint, open_gateway

LOGIN = "https://acme.my.salesforce.com"
ORG = OrgId("00D000000000001EAA")
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
DATE = "Mon, 23 Nov 2026 10:00:00 GMT"
KEYS = PointKeys(current=1, keys={1: b"k" * 32}, controller=ControllerKey("acme"))
COMPOSITE = f"{LOGIN}/services/data/v66.0/composite"
TOKEN = f"{LOGIN}/services/oauth2/token"

Said = tuple[int, dict[str, str], str]
Saying = Callable[[requests.PreparedRequest], Said] | Exception


@dataclass
class Script:
    """What Salesforce will answer, in order, and what it was asked."""

    mock: responses.RequestsMock
    sayings: list[Saying] = field(default_factory=list)
    asked: list[list[dict[str, Any]]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    stop_at_wait: int | None = None

    def say(self, *sayings: Saying) -> None:
        self.sayings.extend(sayings)

    def answer(self, request: requests.PreparedRequest) -> Said:
        assert isinstance(request.body, bytes)
        self.asked.append(json.loads(request.body)["compositeRequest"])
        self.headers.append(dict(request.headers))
        saying = self.sayings.pop(0)
        if isinstance(saying, Exception):
            raise saying
        return saying(request)

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return self.stop_at_wait is not None and len(self.waits) >= self.stop_at_wait

    def logins(self) -> int:
        return sum(call.request.url == TOKEN for call in self.mock.calls)

    def gateway(
        self,
        *,
        credentials: Credentials | None = None,
        org_id: OrgId | None = None,
        attempts: int = 3,
        set_aside: Callable[[RecordMalformed], None] | None = None,
        features: frozenset[str] | None = frozenset(),
        proof_keys: Mapping[str, bytes] | None = None,
    ) -> Gateway:
        return open_gateway(
            endpoint=Endpoint(login_url=LOGIN, retries=Retries(attempts=attempts)),
            credentials=credentials or ClientCredentials(client_id="app", client_secret="secret"),
            keys=KEYS,
            default_country="DE",
            org_id=org_id,
            now=lambda: AT,
            wait=self.wait,
            set_aside=set_aside,
            features=features,
            proof_keys=proof_keys,
        )


@contextmanager
def scripted(*, token: bool = True) -> Iterator[Script]:
    """Intercept the network for one test."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        script = Script(mock=mock)
        if token:
            mock.post(TOKEN, json=token_answer("first"), headers={"Date": DATE})
        mock.add_callback(responses.POST, COMPOSITE, callback=script.answer)
        yield script


def token_answer(access: str, *, org_id: str = ORG, instance_url: str = LOGIN) -> dict[str, object]:
    return {
        "access_token": access,
        "instance_url": instance_url,
        "id": f"https://login.salesforce.com/id/{org_id}/005000000000001AAA",
        "token_type": "Bearer",
    }


def replies(*bodies: object) -> Saying:
    """A Composite answer; each body is `(status, body)` or a body with 200."""

    def say(request: requests.PreparedRequest) -> Said:
        assert isinstance(request.body, bytes)
        asked = json.loads(request.body)["compositeRequest"]
        assert len(asked) == len(bodies)
        entries = []
        for part, body in zip(asked, bodies, strict=True):
            status, content = body if isinstance(body, tuple) else (200, body)
            entries.append(
                {
                    "body": content,
                    "httpHeaders": {},
                    "httpStatusCode": status,
                    "referenceId": part["referenceId"],
                }
            )
        entries.reverse()  # the order of answers is not promised, the reference is
        return 200, {"Date": DATE}, json.dumps({"compositeResponse": entries})

    return say


def raw(status: int, body: object, **headers: str) -> Saying:
    """Any answer at all; text stays as it is, everything else becomes JSON."""

    def say(_request: requests.PreparedRequest) -> Said:
        said = body if isinstance(body, str) else json.dumps(body)
        return status, {"Date": DATE, **headers}, said

    return say


def refused(status: int, code: str, message: str = "words of Salesforce") -> Saying:
    return raw(status, [{"message": message, "errorCode": code}])


def page(*records: Mapping[str, object], done: bool = True, total: int | None = None) -> Any:
    return {
        "totalSize": len(records) if total is None else total,
        "done": done,
        "records": list(records),
    }


def stamp(record_id: str, at: datetime = AT, *, deleted: bool = False) -> dict[str, object]:
    return {
        "Id": record_id,
        "SystemModstamp": f"{at:%Y-%m-%dT%H:%M:%S}.000+0000",
        "IsDeleted": deleted,
    }


def contact_stamp(record_id: str, at: datetime = AT) -> dict[str, object]:
    return {**stamp(record_id, at), "MasterRecordId": None}


def soql_of(part: Mapping[str, str]) -> str:
    return parse_qs(urlsplit(part["url"]).query)["q"][0]


def contact_id(number: int) -> ContactId:
    return ContactId(f"003{number:012d}AAA")


def a_write(
    number: int,
    *,
    verb: Verb = Verb.UPDATE,
    target: Target = Target.CONTACT,
    fields: Mapping[str, Value] | None = None,
    record_id: str | None = None,
) -> Write:
    upsert, insert = verb is Verb.UPSERT, verb is Verb.INSERT
    return Write(
        id=f"write-{number}",
        lane=Lane.TIGHTEN,
        verb=verb,
        target=target,
        contact_id=contact_id(number),
        record_id=None if upsert or insert else record_id or contact_id(number),
        ledger_key=f"{contact_id(number)}:news:EMAIL" if upsert else None,
        fields={"consent_status": "Stopped"} if fields is None else fields,
        decision_id="decision",
        subject_id=SubjectId("subject"),
        unmodified_since=AT + timedelta(seconds=1) if verb is Verb.CLEAR_FLAG else None,
    )


def accepted(writes: Sequence[Write]) -> list[dict[str, object]]:
    return [
        {"id": write.record_id or "a00000000000001AAA", "success": True, "errors": []}
        for write in writes
    ]


def row_refused(code: str, message: str = "words of Salesforce") -> dict[str, object]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": []}]}
