"""A log was kept, or said to be, and showed nothing when it was asked for."""

import sqlite3
from hashlib import sha256

import pytest

from salesforce_bridge.ledger import views
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.evidence import Grade, Trust
from tests.regressions.bridges import (
    DAY,
    HOUR,
    STOP,
    Bridge,
)
from tests.support.orgs import ROOT


def test_consent_records_were_destroyed_after_each_campaign(bridge: Bridge) -> None:
    """Greece, HDPA 56/2021: consent records were destroyed after each campaign, and the burden of proof was lost.
    Proof outlives the use, the stop and the Contact, and cannot be deleted.
    """
    who = bridge.agreed()
    bridge.request(who, STOP)
    bridge.settle()
    bridge.director.admin.delete("Contact", who)
    bridge.settle()
    bridge.director.purge("Contact", [who])
    bridge.settle()
    bridge.wait(400 * DAY)
    bridge.settle()
    (given,) = (each for each in bridge.history(who) if each.kind is EventKind.GRANT)
    assert (given.grade, given.evidence_ref, given.notice_id) == (
        Grade.A,
        "form/17",
        "consent-en-1",
    )
    with (
        sqlite3.connect(bridge.ledger_file) as raw,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        raw.execute("DELETE FROM permission_event")
    raw.close()


def test_what_people_were_told_could_not_be_shown(bridge: Bridge) -> None:
    """ICO guidance on consent: keep who, when, how, what they were told, and whether they withdrew. Every yes names
    all of it, and the text is the one that its digest says.
    """
    who = bridge.agreed()
    (given,) = (each for each in bridge.history(who) if each.kind is EventKind.GRANT)
    assert HOUR <= bridge.now - given.happened_at < 2 * HOUR
    assert given.trust is Trust.SUBJECT_DIRECT
    assert given.policy_version == bridge.world.policy.version
    notice = bridge.world.policy.notices[str(given.notice_id)]
    text = (ROOT / "config" / str(notice.uri)).read_bytes()
    assert sha256(text).hexdigest() == notice.sha256


def test_only_the_latest_state_was_kept(bridge: Bridge) -> None:
    """W3C DPV, issue 243: past states of a consent are to be kept, not the latest alone. The ledger holds every
    word in order, each with its date and the policy it was judged under.
    """
    who = bridge.agreed()
    bridge.request(who, STOP)
    bridge.cycle()
    bridge.wait(HOUR)
    bridge.tell(who, EventKind.GRANT, happened_at=bridge.now)
    bridge.cycle()
    assert bridge.kinds(who) == ["GRANT", "WITHDRAW", "GRANT"]
    told = [each.happened_at for each in bridge.history(who)]
    assert told == sorted(told)


def test_a_plug_in_kept_a_tick_and_no_log(bridge: Bridge) -> None:
    """trewknowledge GDPR 28, 91, 121 and CubeCart 1892: people asked their plug-ins for date, policy version and a
    full log, not a tick. Every look at somebody leaves a sealed entry that says all of that.
    """
    who = bridge.agreed()
    bridge.request(who, STOP)
    bridge.cycle()
    with bridge.ledger.reading() as tx:
        sealed = views.entries_about(tx, bridge.person(who).subject_id, count=50)
    headers = [each.header for each in sealed if each.header["kind"] == "DECISION"]
    assert {"PUSH_GRANT", "STOP_HONOURED"} <= {each["reason"] for each in headers}
    for each in headers:
        assert {"at", "policy_version", "reason", "situation"} <= set(each)


def test_personal_data_lay_in_a_store_that_never_forgets(bridge: Bridge) -> None:
    """EDPB guidelines 02/2025: no personal data in stores that cannot forget. What the chain seals can be destroyed
    without breaking it, and no address is in the ledger at any time.
    """
    who = bridge.agreed(email="unforgettable@example.org")
    whose = bridge.person(who).subject_id
    assert b"unforgettable" not in bridge.ledger_file.read_bytes()
    bridge.erase(who)
    with bridge.ledger.reading() as tx:
        told = views.entries_about(tx, whose, count=100)
        assert all(each.payload is None for each in told if each.header["kind"] == "DECISION")
    assert bridge.audit_is_intact()
    bridge.settle()
    assert bridge.audit_is_intact()


TAMPERING: dict[str, str] = {
    "altered": "UPDATE audit_entry SET header = replace(header, 'DECISION', 'DECIDED ')"
    " WHERE seq = (SELECT min(seq) FROM audit_entry WHERE kind = 'DECISION')",
    "one lost": "DELETE FROM audit_entry WHERE seq = (SELECT max(seq) - 1 FROM audit_entry)",
    "the end cut off": "DELETE FROM audit_entry WHERE seq = (SELECT max(seq) FROM audit_entry)",
}


@pytest.mark.parametrize("how", TAMPERING)
def test_a_log_was_changed_and_still_looked_whole(bridge: Bridge, how: str) -> None:
    """PageSpace 541, mockforge 872, hve-core 2416: rows were anonymised, deleted with what they hung on, or lost,
    and the log did not say so. Whoever takes the locks off and does it anyway is found out.
    """
    bridge.agreed()
    assert bridge.audit_is_intact()
    with sqlite3.connect(bridge.ledger_file) as raw:
        raw.execute("PRAGMA foreign_keys = OFF")
        for (name,) in raw.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_entry'"
        ).fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        assert raw.execute(TAMPERING[how]).rowcount == 1
    raw.close()
    assert not bridge.audit_is_intact()
