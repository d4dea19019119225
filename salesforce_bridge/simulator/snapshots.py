"""Copies of the whole org, for resets between tests and for restarts."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import orjson

from salesforce_bridge.simulator.front import Front
from salesforce_bridge.simulator.org import Org
from salesforce_bridge.simulator.schema import Project
from salesforce_bridge.simulator.store import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the org was at one moment."""

    project: Project
    absent: frozenset[str]
    org_id: str
    my_domain: str
    records: dict[str, dict[str, Row]]
    issued: dict[str, int]
    clock_offset: timedelta
    hidden_rows: dict[str, frozenset[str]]
    usage: tuple[int, int, str | None]


def take(front: Front) -> Snapshot:
    """Copy the org; rows are never changed in place, so only the tables are copied."""
    org = front.org
    return Snapshot(
        project=org.deployed,
        absent=org.absent,
        org_id=org.org_id,
        my_domain=front.door.my_domain,
        records=org.store.copy(),
        issued=org.issuer.state(),
        clock_offset=org.clock.offset,
        hidden_rows={key: frozenset(user.hidden_rows) for key, user in org.users.items()},
        usage=(front.usage.maximum, front.usage.used, front.usage.app_name),
    )


def restore(front: Front, snapshot: Snapshot) -> None:
    """Make the org what it was, schema, clock and limits included; sessions live on."""
    org = front.org
    org.store.restore(snapshot.records)
    org.issuer.restore(snapshot.issued)
    org.clock.offset = snapshot.clock_offset
    org.org_id = snapshot.org_id
    front.door.my_domain = snapshot.my_domain
    front.usage.maximum, front.usage.used, front.usage.app_name = snapshot.usage
    front.cursors.close()
    if org.deployed is not snapshot.project or org.absent != snapshot.absent:
        org.absent = snapshot.absent
        org.change_project(snapshot.project)
    for key, hidden in snapshot.hidden_rows.items():
        org.users[key].hidden_rows = set(hidden)


def save(org: Org, path: Path) -> None:
    """Write the records to a file that a later start reads."""
    kept = {
        "org_id": org.org_id,
        "issued": org.issuer.state(),
        "records": {name: list(table.rows.values()) for name, table in org.store.tables.items()},
    }
    beside = path.with_suffix(f"{path.suffix}.new")
    beside.write_bytes(orjson.dumps(kept))
    beside.replace(path)


def reopen(org: Org, path: Path) -> None:
    """Read back what an earlier run wrote; the staff keeps its ids."""
    kept = orjson.loads(path.read_bytes())
    org.org_id = kept["org_id"]
    org.issuer.restore(kept["issued"])
    org.store.restore(
        {name: {row["Id"]: row for row in rows} for name, rows in kept["records"].items()}
    )
