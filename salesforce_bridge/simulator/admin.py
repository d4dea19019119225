"""The door behind the scenes: what a director may ask of the org, one verb at a time."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from types import MappingProxyType

from salesforce_bridge.simulator.acts import play
from salesforce_bridge.simulator.drift import (
    change_choice,
    change_field_access,
    change_rule,
    without_field,
)
from salesforce_bridge.simulator.faults import FaultMalformed, fault_of
from salesforce_bridge.simulator.found_org import tell_organization
from salesforce_bridge.simulator.front import Front
from salesforce_bridge.simulator.loading import load
from salesforce_bridge.simulator.refusals import Json, RequestRefused, RowRefused
from salesforce_bridge.simulator.scripts import Scene
from salesforce_bridge.simulator.seed import believable_org
from salesforce_bridge.simulator.snapshots import Snapshot, restore, take
from salesforce_bridge.simulator.soql import select
from salesforce_bridge.simulator.store import STAMP
from salesforce_bridge.simulator.users import FullSight
from salesforce_bridge.simulator.values import moment_text
from salesforce_bridge.simulator.wire import Request, Response

PREFIX = "/__admin__/"
Asked = Mapping[str, Json]


class Admin:
    """Plays what directors ask for."""

    def __init__(self, front: Front, token: str) -> None:
        self._front = front
        self._org = front.org
        self._token = token
        self._snapshots: dict[str, Snapshot] = {}
        self._verbs: Mapping[str, Callable[[Asked], Json]] = MappingProxyType(
            {
                "act": lambda asked: play(self._org, asked),
                "query": self._query,
                "load": lambda asked: list(load(self._org, *_object_and_rows(asked))),
                "seed": self._seed,
                "fault": lambda asked: front.faults.add(fault_of(asked)),
                "clear_faults": lambda asked: front.faults.clear(_optional(asked, "id")),
                "script": self._script,
                "script_outcomes": lambda asked: front.scripts.outcomes(_text(asked, "id")),
                "clear_scripts": lambda _asked: front.scripts.clear(),
                "calls": lambda _asked: [asdict(call) for call in front.log.seen],
                "call_count": lambda _asked: front.log.api_calls,
                "reset_calls": lambda _asked: front.log.reset(),
                "advance": lambda asked: self._org.clock.advance(_number(asked, "seconds")),
                "set_now": self._set_now,
                "now": lambda _asked: moment_text(self._org.clock.now()),
                "expire_sessions": lambda _asked: front.sessions.expire(),
                "set_session_timeout": self._set_session_timeout,
                "set_field_access": self._set_field_access,
                "drop_field": self._drop_field,
                "set_feature": self._set_feature,
                "set_rule": self._set_rule,
                "set_choice": self._set_choice,
                "set_org_id": self._set_org_id,
                "set_instance_url": self._set_instance_url,
                "set_limits": self._set_limits,
                "set_visible": self._set_visible,
                "restamp": self._restamp,
                "purge": self._purge,
                "snapshot": self._snapshot,
                "restore": self._restore,
            }
        )

    def handle(self, request: Request) -> Response:
        """Answer a request to the admin door."""
        given = (request.header("Authorization") or "").removeprefix("Bearer ")
        if not hmac.compare_digest(given, self._token):
            return _refusal(401, "NOT_THE_DIRECTOR", "the admin token is wrong")
        verb = self._verbs.get(request.path.removeprefix(PREFIX))
        if verb is None or request.method != "POST":
            return _refusal(404, "NO_SUCH_VERB", request.path)
        try:
            with self._org.lock:
                return Response(status=200, content={"result": verb(request.json_object())})
        except RowRefused as refusal:
            return _refusal(400, refusal.status_code, refusal.message)
        except RequestRefused as refusal:
            return _refusal(400, refusal.error_code, refusal.message)
        except FaultMalformed as malformed:
            return _refusal(400, "FAULT_MALFORMED", str(malformed))

    def _query(self, asked: Asked) -> Json:
        selection = select(
            self._org,
            FullSight(),
            _text(asked, "soql"),
            all_rows=asked.get("all_rows") is True,
            version=self._org.project.api_version,
        )
        records = selection.page(0, len(selection.ids))
        return {"size": selection.size, "records": records}

    def _seed(self, asked: Asked) -> Json:
        rows = believable_org(
            int(_number(asked, "contacts")),
            int(_number(asked, "seed")),
            leads=int(_number({"leads": 0, **asked}, "leads")),
            individuals=int(_number({"individuals": 0, **asked}, "individuals")),
        )
        counts: dict[str, Json] = {}
        for name, records in rows:
            told = counts.get(name, 0)
            assert isinstance(told, int)
            counts[name] = told + len(load(self._org, name, records))
        return counts

    def _script(self, asked: Asked) -> Json:
        acts, call = asked.get("acts"), asked.get("call")
        if not isinstance(acts, list):
            raise RequestRefused(400, "MISSING_ARGUMENT", "a script needs acts")
        return self._front.scripts.add(
            Scene(
                acts=[act for act in acts if isinstance(act, dict)],
                before=asked.get("moment", "before") == "before",
                call=call if isinstance(call, int) else None,
                match=_optional(asked, "match"),
            )
        )

    def _set_now(self, asked: Asked) -> Json:
        self._org.clock.set(datetime.fromisoformat(_text(asked, "moment")))
        return None

    def _set_session_timeout(self, asked: Asked) -> Json:
        self._front.sessions.idle_timeout = timedelta(seconds=_number(asked, "seconds"))
        return None

    def _set_field_access(self, asked: Asked) -> Json:
        self._org.change_project(
            change_field_access(
                self._org.deployed,
                _text(asked, "permission_set"),
                _text(asked, "field"),
                readable=asked.get("readable") is True,
                editable=asked.get("editable") is True,
            )
        )
        return None

    def _drop_field(self, asked: Asked) -> Json:
        object_name, field = _text(asked, "object"), _text(asked, "field")
        self._org.change_project(without_field(self._org.deployed, object_name, field))
        return None

    def _set_feature(self, asked: Asked) -> Json:
        self._org.switch(_text(asked, "feature"), on=asked.get("on") is True)
        return None

    def _set_rule(self, asked: Asked) -> Json:
        self._org.change_project(
            change_rule(
                self._org.deployed,
                _text(asked, "object"),
                _text(asked, "rule"),
                active=asked.get("active") is True,
            )
        )
        return None

    def _set_choice(self, asked: Asked) -> Json:
        self._org.change_project(
            change_choice(
                self._org.deployed,
                _text(asked, "object"),
                _text(asked, "field"),
                _text(asked, "choice"),
                active=asked.get("active") is True,
            )
        )
        return None

    def _set_org_id(self, asked: Asked) -> Json:
        self._org.org_id = _text(asked, "org_id")
        tell_organization(self._org)
        self._org.store.commit()
        self._front.sessions.expire()
        return None

    def _set_instance_url(self, asked: Asked) -> Json:
        self._front.door.my_domain = _text(asked, "url").rstrip("/")
        return None

    def _set_limits(self, asked: Asked) -> Json:
        if "max" in asked:
            self._front.usage.maximum = int(_number(asked, "max"))
        if "used" in asked:
            self._front.usage.used = int(_number(asked, "used"))
        if "app_name" in asked:
            self._front.usage.app_name = _optional(asked, "app_name")
        return None

    def _set_visible(self, asked: Asked) -> Json:
        hidden = self._org.users[_text(asked, "user")].hidden_rows
        if asked.get("visible") is True:
            hidden.difference_update(_texts(asked, "ids"))
        else:
            hidden.update(_texts(asked, "ids"))
        return None

    def _restamp(self, asked: Asked) -> Json:
        table = self._org.store.table(_text(asked, "object"))
        ids = _texts(asked, "ids") if "ids" in asked else list(table.rows)
        for record_id in ids:
            table.put(table.rows[record_id] | {STAMP: self._org.stamp()})
        self._org.store.commit()
        return len(ids)

    def _purge(self, asked: Asked) -> Json:
        table = self._org.store.table(_text(asked, "object"))
        for record_id in _texts(asked, "ids"):
            table.remove(record_id)
        self._org.store.commit()
        return None

    def _snapshot(self, _asked: Asked) -> Json:
        name = f"snapshot-{len(self._snapshots) + 1}"
        self._snapshots[name] = take(self._front)
        return name

    def _restore(self, asked: Asked) -> Json:
        restore(self._front, self._snapshots[_text(asked, "token")])
        return None


def _refusal(status: int, code: str, message: str) -> Response:
    return Response(status=status, content={"refused": code, "message": message})


def _object_and_rows(asked: Asked) -> tuple[str, list[Mapping[str, Json]]]:
    rows = asked.get("rows")
    assert isinstance(rows, list)
    return _text(asked, "object"), [row for row in rows if isinstance(row, dict)]


def _text(asked: Asked, name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise RequestRefused(400, "MISSING_ARGUMENT", f"{name}: a text is needed")
    return value


def _optional(asked: Asked, name: str) -> str | None:
    return _text(asked, name) if asked.get(name) is not None else None


def _texts(asked: Asked, name: str) -> list[str]:
    values = asked.get(name)
    if not isinstance(values, list):
        raise RequestRefused(400, "MISSING_ARGUMENT", f"{name}: a list is needed")
    return [value for value in values if isinstance(value, str)]


def _number(asked: Asked, name: str) -> float:
    value = asked.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RequestRefused(400, "MISSING_ARGUMENT", f"{name}: a number is needed")
    return value
