"""What a director makes somebody do in the org, through the same rules as everybody."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta

from salesforce_bridge.simulator.conversion import convert_lead
from salesforce_bridge.simulator.dml import Transaction
from salesforce_bridge.simulator.org import Org
from salesforce_bridge.simulator.refusals import Json, RequestRefused
from salesforce_bridge.simulator.schema import ObjectType
from salesforce_bridge.simulator.values import stamp_text


def play(org: Org, act: Mapping[str, Json]) -> Json:
    """Do one act: `as` whom, `do` what, to which `object`, `id` and `fields`.

    With `late` seconds the records carry a stamp of that long ago: a transaction that began then
    and commits only now.
    """
    user = org.users.get(_text(act, "as"))
    if user is None:
        raise RequestRefused(404, "NOT_FOUND", f"nobody is called {act.get('as')}")
    late = act.get("late") or 0
    assert isinstance(late, int | float)
    stamp = stamp_text(org.clock.now() - timedelta(seconds=late))
    transaction = Transaction(org, user, stamp=stamp)
    try:
        return _played(org, transaction, act)
    finally:
        org.store.commit()


def _played(org: Org, transaction: Transaction, act: Mapping[str, Json]) -> Json:
    found = _object(org, act)
    payload = act.get("fields") or {}
    assert isinstance(payload, dict)
    match act.get("do"):
        case "create":
            return transaction.create(found, payload)
        case "update":
            transaction.update(found, _text(act, "id"), payload)
        case "delete":
            transaction.delete(found, _text(act, "id"))
        case "undelete":
            transaction.undelete(found, _text(act, "id"))
        case "merge":
            losers = act.get("losers")
            assert isinstance(losers, list)
            loser_ids = [one for one in losers if isinstance(one, str)]
            transaction.merge(found, _text(act, "id"), loser_ids, payload)
        case "convert":
            return _converted(org, transaction, act)
        case unknown:
            raise RequestRefused(400, "INVALID_OPERATION", f"no act is called {unknown}")
    return None


def _converted(org: Org, transaction: Transaction, act: Mapping[str, Json]) -> Json:
    chosen = {
        name: _text(act, name) for name in ("contact_id", "account_id") if act.get(name) is not None
    }
    return asdict(convert_lead(org, transaction, _text(act, "id"), **chosen))


def _object(org: Org, act: Mapping[str, Json]) -> ObjectType:
    found = org.project.object(_text(act, "object"))
    if found is None:
        message = f"sObject type '{act.get('object')}' is not supported."
        raise RequestRefused(400, "INVALID_TYPE", message)
    return found


def _text(act: Mapping[str, Json], name: str) -> str:
    value = act.get(name)
    if not isinstance(value, str):
        raise RequestRefused(400, "MISSING_ARGUMENT", f"an act needs {name}")
    return value
