"""The director of a rehearsal: makes people act, lets trouble come, and sees everything."""

import http.client
import json
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 300
_LOADED_AT_ONCE = 20_000


class Refused(Exception):
    """The org refused an act, as it would have refused the person."""

    def __init__(self, status_code: str, message: str) -> None:
        super().__init__(f"{status_code}: {message}")
        self.status_code = status_code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that the org received."""

    number: int
    method: str
    path: str
    query: str
    status: int | None
    """None when the connection was cut instead of an answer."""
    user: str | None
    api: bool
    """Whether it counted against the limit."""
    subrequests: tuple[str, ...]
    """Methods and paths inside a composite request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What a Lead became."""

    contact_id: str
    account_id: str


class Actor:
    """Somebody in the org, acting with exactly that person's rights."""

    def __init__(self, director: "Director", name: str, late: float = 0) -> None:
        self._director = director
        self._name = name
        self._late = late

    def late(self, seconds: float) -> "Actor":
        """The same person in a transaction that began so long ago and commits only now."""
        return Actor(self._director, self._name, seconds)

    def create(self, object_name: str, /, **fields: Any) -> str:
        """Create a record and return its id."""
        return str(self._act("create", object_name, fields=fields))

    def update(self, object_name: str, record_id: str, /, **fields: Any) -> None:
        """Change a record."""
        self._act("update", object_name, id=record_id, fields=fields)

    def delete(self, object_name: str, record_id: str, /) -> None:
        """Move a record to the recycle bin."""
        self._act("delete", object_name, id=record_id)

    def undelete(self, object_name: str, record_id: str, /) -> None:
        """Take a record out of the recycle bin."""
        self._act("undelete", object_name, id=record_id)

    def merge(
        self, object_name: str, winner_id: str, loser_ids: Iterable[str], /, **fields: Any
    ) -> None:
        """Fold one or two records into a winner, setting `fields` on it."""
        losers = list(loser_ids)
        self._act("merge", object_name, id=winner_id, losers=losers, fields=fields)

    def convert_lead(
        self, lead_id: str, /, *, contact_id: str | None = None, account_id: str | None = None
    ) -> Converted:
        """Make a Lead into a new Contact of a new Account, or into those that are named."""
        told = self._act(
            "convert", "Lead", id=lead_id, contact_id=contact_id, account_id=account_id
        )
        return Converted(**told)

    def _act(self, verb: str, object_name: str, **rest: Any) -> Any:
        act = {"as": self._name, "do": verb, "object": object_name, "late": self._late} | rest
        return self._director.ask("act", **act)


class Director:
    """Speaks to the admin door of a running simulator."""

    def __init__(self, org_url: str, token: str, ca_path: Path) -> None:
        address = urlsplit(org_url)
        assert address.hostname is not None
        self._host, self._port = address.hostname, address.port
        self._token = token
        self._context = ssl.create_default_context(cafile=str(ca_path))
        self.rep = Actor(self, "rep")
        self.rep2 = Actor(self, "rep2")
        self.admin = Actor(self, "admin")
        self.integration = Actor(self, "integration")

    @classmethod
    def connect(cls, directory: Path) -> Self:
        """Find the simulator that wrote its card into a directory."""
        card = json.loads((directory / "simulator.json").read_text())
        return cls(card["org_url"], card["admin_token"], directory / "ca.pem")

    def as_user(self, name: str) -> Actor:
        """Somebody by name: `rep`, `rep2`, `admin` or `integration`."""
        return Actor(self, name)

    def query(self, soql: str, *, all_rows: bool = False) -> list[dict[str, Any]]:
        """All records of a query, formulas included, seen past every restriction."""
        answer = self.ask("query", soql=soql, all_rows=all_rows)
        return [_plain(record) for record in answer["records"]]

    def count(self, soql: str, *, all_rows: bool = False) -> int:
        """How many records a query finds; also for COUNT()."""
        return int(self.ask("query", soql=soql, all_rows=all_rows)["size"])

    def load(self, object_name: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Store records as a migration does, past rights and rules, and return their ids.

        Rows may bring Id, CreatedDate, LastModifiedDate and SystemModstamp.
        """
        ids: list[str] = []
        for start in range(0, len(rows), _LOADED_AT_ONCE):
            chunk = [dict(row) for row in rows[start : start + _LOADED_AT_ONCE]]
            ids += self.ask("load", object=object_name, rows=chunk)
        return ids

    def seed(
        self, contacts: int, seed: int = 1, *, leads: int = 0, individuals: int = 0
    ) -> dict[str, int]:
        """Fill the org with a believable crowd; returns how many records of each object.

        With `individuals`, so many of the Contacts have a privacy record; of the `leads`, some
        were converted into Contacts of the crowd.
        """
        return dict(
            self.ask("seed", contacts=contacts, seed=seed, leads=leads, individuals=individuals)
        )

    def fault(self, **spec: Any) -> str:
        """Arm a fault; see `faults.Fault` for the conditions and effects. Returns its name."""
        return str(self.ask("fault", **spec))

    def clear_faults(self, name: str | None = None) -> None:
        """Take away one fault, or all."""
        self.ask("clear_faults", id=name)

    def script(
        self,
        *,
        acts: Sequence[Mapping[str, Any]],
        call: int | None = None,
        match: str | None = None,
        moment: str = "before",
    ) -> str:
        """Play acts just before or after an API call: the n-th from now, or that a pattern finds.

        The pattern is searched in method, path, query string and body. With both, it is the n-th
        of the calls that the pattern finds. An act names `as`, `do`, `object`, and as needed `id`,
        `fields`, `losers`, `contact_id`, `account_id` and `late`.
        """
        return str(
            self.ask(
                "script", acts=[dict(act) for act in acts], call=call, match=match, moment=moment
            )
        )

    def outcomes(self, script: str) -> list[Any] | None:
        """What each act of a script came to: an id, null, or its refusal; None while it waits."""
        outcomes: list[Any] | None = self.ask("script_outcomes", id=script)
        return outcomes

    def clear_scripts(self) -> None:
        """Forget scripts that still wait."""
        self.ask("clear_scripts")

    def calls(self) -> list[Call]:
        """All requests since the last reset, token requests too."""
        return [
            Call(**(seen | {"subrequests": tuple(seen["subrequests"])}))
            for seen in self.ask("calls")
        ]

    def call_count(self) -> int:
        """How many of them counted as API calls."""
        return int(self.ask("call_count"))

    def reset_calls(self) -> None:
        """Begin to count anew."""
        self.ask("reset_calls")

    def advance(self, seconds: float) -> None:
        """Let the org's time pass; negative seconds set its clock back."""
        self.ask("advance", seconds=seconds)

    def set_now(self, moment: datetime) -> None:
        """Make it that moment in the org."""
        self.ask("set_now", moment=moment.isoformat())

    def now(self) -> datetime:
        """The org's time, aware and in UTC."""
        return datetime.fromisoformat(self.ask("now"))

    def expire_sessions(self) -> None:
        """End all sessions."""
        self.ask("expire_sessions")

    def set_session_timeout(self, seconds: float) -> None:
        """How long a session may be idle."""
        self.ask("set_session_timeout", seconds=seconds)

    def set_field_access(
        self, permission_set: str, field: str, *, readable: bool, editable: bool
    ) -> None:
        """Change what a permission set gives on `Object.Field`."""
        self.ask(
            "set_field_access",
            permission_set=permission_set,
            field=field,
            readable=readable,
            editable=editable,
        )

    def drop_field(self, object_name: str, field: str) -> None:
        """Delete a field from the schema."""
        self.ask("drop_field", object=object_name, field=field)

    def set_feature(self, feature: str, *, on: bool) -> None:
        """Switch `Individual`, `Campaign` or `Lead` off, with all that points at it, or on again.

        Individual is off in an org without Data Protection and Privacy.
        """
        self.ask("set_feature", feature=feature, on=on)

    def set_rule(self, object_name: str, rule: str, *, active: bool) -> None:
        """Switch a validation rule on or off."""
        self.ask("set_rule", object=object_name, rule=rule, active=active)

    def set_choice(self, object_name: str, field: str, choice: str, *, active: bool) -> None:
        """Retire a picklist value, or bring it back."""
        self.ask("set_choice", object=object_name, field=field, choice=choice, active=active)

    def set_org_id(self, org_id: str) -> None:
        """Make it another org, as a sandbox refresh does; sessions end."""
        self.ask("set_org_id", org_id=org_id)

    def set_instance_url(self, url: str) -> None:
        """What the token endpoint tells as the org's address from now on."""
        self.ask("set_instance_url", url=url)

    def set_limits(self, **limits: int | str | None) -> None:
        """Set `max` and `used` of the daily API calls, and `app_name` for the header's long form."""
        self.ask("set_limits", **limits)

    def set_visible(self, user: str, ids: Iterable[str], *, visible: bool) -> None:
        """Let sharing hide records from a user, or show them again."""
        self.ask("set_visible", user=user, ids=list(ids), visible=visible)

    def restamp(self, object_name: str, ids: Iterable[str] | None = None) -> int:
        """Move SystemModstamp without any change, of some records or of all."""
        chosen = {} if ids is None else {"ids": list(ids)}
        return int(self.ask("restamp", object=object_name, **chosen))

    def purge(self, object_name: str, ids: Iterable[str]) -> None:
        """Let records vanish for good, past the recycle bin."""
        self.ask("purge", object=object_name, ids=list(ids))

    def snapshot(self) -> str:
        """Copy the org; returns the token that brings it back."""
        return str(self.ask("snapshot"))

    def restore(self, token: str) -> None:
        """Bring a copy back: records, schema, clock and limits."""
        self.ask("restore", token=token)

    def ask(self, verb: str, **asked: Any) -> Any:
        """Send one verb to the admin door and return what it answers."""
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=TIMEOUT_SECONDS, context=self._context
        )
        try:
            connection.request(
                "POST",
                f"/__admin__/{verb}",
                body=json.dumps(asked).encode(),
                headers={"Authorization": f"Bearer {self._token}"},
            )
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if "refused" in answer:
            raise Refused(answer["refused"], answer["message"])
        return answer["result"]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "records" in value and "totalSize" in value:
        return _plain(value["records"])
    return {name: _plain(one) for name, one in value.items() if name != "attributes"}
