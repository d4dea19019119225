"""A ledger of an earlier version keeps all it held when it is brought up to date."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count as numbers
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, create_engine, make_url, text

from salesforce_bridge.audit.chain import GENESIS
from salesforce_bridge.ledger import schema, views
from salesforce_bridge.ledger.connections import connect, writing
from salesforce_bridge.ledger.faults import LedgerOutdated
from salesforce_bridge.ledger.moments import Moment
from salesforce_bridge.ledger.store import Ledger
from salesforce_bridge.permissions.states import State
from tests.support.facts import (
    NEWS_BY_EMAIL,
    NOON,
    ORG,
    POLICY_TEXT,
    a_policy,
    contact_id,
    subject_id,
)
from tests.support.ledgers import nonces
from tests.support.postgres import Server

_NUMBERS = numbers(1)
WHO = subject_id(1)
OLD_DIGEST = "d" * 64
LAPSE = NOON + timedelta(days=20)

# What a ledger of revision 0002 held of one person, in the columns that it had.
CONTENT = (
    (
        "INSERT INTO policy_bundle (digest, version, text, recorded_at) "
        "VALUES (:digest, '2026-01', :policy, :noon)"
    ),
    (
        "INSERT INTO subject (id, jurisdiction, subject_class, subject_key, salt, revision, "
        "outside_revision, created_at) VALUES (:who, 'DE', 'CONSUMER', 'sk_1', 's', 2, 0, :noon)"
    ),
    (
        "INSERT INTO subject_link (contact_id, org_id, subject_id, state, opened_at, changed_at) "
        "VALUES (:contact, :org, :who, 'ACTIVE', :noon, :noon)"
    ),
    (
        "INSERT INTO permission_event (revision, id, subject_id, controller, purpose, channel, kind, "
        "basis, happened_at, recorded_at, actor, trust, grade, reason, purpose_version, "
        "policy_version, marketing, own) VALUES (1, 'e1', :who, 'example', 'direct_marketing', "
        "'EMAIL', 'REQUEST', 'CONSENT', :noon, :noon, 'PERSON', 4, 0, 'ASKED', 1, '2026-01', true, true)"
    ),
    (
        "INSERT INTO permission (subject_id, purpose, channel, basis, state, marketing, revision, "
        "reason, since, own, trust, grade, lapses_at) VALUES (:who, 'direct_marketing', 'EMAIL', "
        "'CONSENT', 'REQUESTED', true, 1, 'ASKED', :noon, true, 0, 0, :lapse)"
    ),
    (
        "INSERT INTO condition (id, subject_id, kind, ref, valid_from, revision, recorded_at) "
        "VALUES ('c1', :who, 'CONTRACT', 'C-1', :noon, 2, :noon)"
    ),
    (
        "INSERT INTO candidate (id, org_id, subject_id, purpose, channel, reason, claimed_at, "
        "source_record, expires_at, open, revision) VALUES ('k1', :org, :who, 'direct_marketing', "
        "'POST', 'CLAIM_REJECTED', :noon, 'r', :lapse, false, 2)"
    ),
    (
        "INSERT INTO mirror (record_id, target, org_id, owner, modstamp, bridge_set, deleted, digest, "
        "content) VALUES (:contact, 'Contact', :org, :contact, :noon, 'do_not_call', false, 'x', :mirror)"
    ),
    (
        "INSERT INTO bookmark (org_id, contacts_since, rows_since, revision, clock, policy_digest, "
        "backfill) VALUES (:org, :noon, :noon, 2, :noon, :digest, 'COMPLETE')"
    ),
    "UPDATE head SET revision = 2",
)
MIRROR = (
    '{"master_id":null,"points":[],"country":"Germany","opted_out_of_email":false,'
    '"opted_out_of_fax":false,"do_not_call":true,"fields":{"lawful_basis":null,'
    '"consent_status":"Not asked","summary":null,"reason":null,"valid_until":null,"decision":null}}'
)


@pytest.fixture(params=["sqlite", "postgresql"])
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a ledger as version 0002 left it, with content."""
    if request.param == "sqlite":
        (tmp_path / "ledger.db").touch()
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
        _fill(url)
        yield url
        return
    server: Server = request.getfixturevalue("postgres")
    name = f"old_ledger_{next(_NUMBERS)}"
    url = server.create(name)
    _fill(url)
    yield url
    server.drop(name)


def _fill(url: str) -> None:
    connections = connect(url)
    with writing(connections) as connection:
        command.upgrade(schema.config(connection), "0002")
        _insert(connection)
    connections.dispose()


def _insert(connection: Connection) -> None:
    def bound(moment: object) -> object:
        return Moment().process_bind_param(moment, connection.dialect)  # type: ignore[arg-type]  # a moment

    values = {
        "digest": OLD_DIGEST,
        "policy": POLICY_TEXT,
        "noon": bound(NOON),
        "lapse": bound(LAPSE),
        "who": WHO,
        "org": ORG,
        "contact": contact_id(1),
        "mirror": MIRROR,
    }
    for statement in CONTENT:
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        connection.execute(text(statement), used)


def test_an_old_ledger_keeps_everything_it_held(old_url: str) -> None:
    ledger = Ledger(old_url, nonces=nonces)
    with pytest.raises(LedgerOutdated):
        ledger.check()
    ledger.upgrade()
    ledger.check()
    with ledger.reading() as tx:
        person = tx.subjects([WHO])[WHO]
        contact = tx.contact_mirrors(ORG, [contact_id(1)])[contact_id(1)]
        assert tx.due(NOON, LAPSE) == (WHO,)
        assert tx.active_policy() is None
        assert tx.policies([OLD_DIGEST]) == {OLD_DIGEST: POLICY_TEXT}
        assert tx.head().last_hash == GENESIS
        assert views.verify(tx).intact
        assert views.refold(tx, policy=a_policy()) == ()
    ledger.close()
    assert person.permissions[NEWS_BY_EMAIL].state is State.REQUESTED
    assert person.due == {NEWS_BY_EMAIL: LAPSE}
    assert person.policy_digest == OLD_DIGEST
    assert [fact.ref for fact in person.conditions] == ["C-1"]
    assert [claim.decision for claim in person.candidates] == ["QUARANTINE_REFUSED"]
    assert not person.erased
    assert (contact.bridge_set, contact.campaigned) == (("do_not_call",), None)
    assert (contact.individual, contact.fields.renew_by) == (None, None)


def test_an_old_ledger_that_was_brought_up_to_date_is_still_append_only(old_url: str) -> None:
    ledger = Ledger(old_url, nonces=nonces)
    ledger.upgrade()
    ledger.close()
    engine = create_engine(make_url(old_url).set(drivername=_driver(old_url)))
    with engine.connect() as connection:
        for table in ("permission_event", "condition"):
            with pytest.raises(Exception, match=f"{table} is append-only"):
                connection.execute(text(f"DELETE FROM {table}"))
            connection.rollback()
    engine.dispose()


def _driver(url: str) -> str:
    return "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"
