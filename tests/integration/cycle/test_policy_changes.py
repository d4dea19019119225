"""What another policy changes for people is recognised once for each, and never permits anything by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.policy import Policy, parse_policy
from salesforce_bridge.trial import try_policy
from tests.integration.cycle.living import EMAIL, NEWS, POLICY_TEXT, Living

SECOND_NOTICE = """
[notices.consent-en-2]
kind = "CONSENT"
version = 2
language = "en"
sha256 = "94d8b83e2398aceaf9b9d98909ab5822987af47924c700f2f2b856bbc6723ed8"
uri = "notices/consent-en-2.txt"
published_at = 2026-11-01
purposes = ["direct_marketing"]
supersedes = "consent-en-1"
material = {material}
"""


def changed(text: str, *replaced: tuple[str, str]) -> Policy:
    """The policy that ships, in another version."""
    for old, new in (('version = "2026-01"', 'version = "2026-02"'), *replaced):
        assert old in text, old
        text = text.replace(old, new, 1)
    return parse_policy(text)


@contextmanager
def under(bridge: Living, law: Policy, text: str = "") -> Iterator[Living]:
    """The same bridge under another policy, the old one kept as a run keeps it."""
    with bridge.ledger.begin() as tx:
        tx.keep_policy(bridge.world.policy, text or POLICY_TEXT, at=bridge.world.clock())
    yield replace(bridge, world=replace(bridge.world, policy=law))


RETIRED = (
    '[purposes.direct_marketing]\nversion = 1\nstatus = "LIVE"',
    '[purposes.direct_marketing]\nversion = 1\nstatus = "RETIRED"',
)


@pytest.fixture
def known(bridge: Living) -> tuple[str, str, str]:
    """Somebody who said yes, somebody who said no, and somebody nobody asked."""
    yes, no = bridge.permitted(), bridge.meet()
    bridge.settle()
    bridge.tell(no, EventKind.WITHDRAW)
    other = bridge.meet()
    bridge.settle()
    return yes, no, other


def test_a_material_change_of_the_notice_asks_for_a_new_yes(
    bridge: Living, known: tuple[str, str, str]
) -> None:
    yes, no, _ = known
    law = changed(POLICY_TEXT + SECOND_NOTICE.format(material="true"))
    with under(bridge, law) as after:
        report = after.cycle()
        assert report.decisions["REAFFIRMATION_REQUIRED"] == 1
        assert report.decisions["STOP_UNAFFECTED_BY_POLICY"] >= 1
        assert after.person(yes).permissions[EMAIL].reaffirm_by is not None
        assert after.is_stopped(no)
        # It is said once, and counts until its grace is over.
        again = after.cycle()
        assert "REAFFIRMATION_REQUIRED" not in again.decisions
        assert after.row(yes)["May_Contact__c"] == "OK"
        after.director.advance(32 * 86_400)
        after.settle()
        assert after.row(yes)["May_Contact__c"] != "OK"
        assert after.differences() == []
        assert after.audit_is_intact()


def test_a_minor_change_of_the_notice_is_noted(bridge: Living, known: tuple[str, str, str]) -> None:
    yes, _, _ = known
    law = changed(POLICY_TEXT + SECOND_NOTICE.format(material="false"))
    with under(bridge, law) as after:
        report = after.cycle()
        assert report.decisions["NOTICE_SUPERSEDED_NOTED"] >= 1
        after.settle()
        assert after.row(yes)["May_Contact__c"] == "OK"


def test_a_retired_purpose_is_closed_for_everybody(
    bridge: Living, known: tuple[str, str, str]
) -> None:
    yes, no, _ = known
    with under(bridge, changed(POLICY_TEXT, RETIRED)) as after:
        report = after.cycle()
        assert report.decisions["PURPOSE_RETIRED_REVOKED"] == 1
        assert report.decisions["PURPOSE_RETIRED_STOP_KEPT"] >= 1
        after.settle()
        assert after.row(yes)["May_Contact__c"] != "OK"
        assert after.is_stopped(no)
        assert after.audit_is_intact()


def test_another_basis_for_a_purpose_is_not_applied_to_who_said_yes(
    bridge: Living, known: tuple[str, str, str]
) -> None:
    yes, no, _ = known
    old = '[[purposes.direct_marketing.assignments]]\nbasis = "CONSENT"'
    law = changed(
        POLICY_TEXT,
        (old, old.replace("CONSENT", "LEGITIMATE_INTEREST")),
        ('dpv_purpose = "dpv:DirectMarketing"', 'assessment = "product_research"'),
    )
    with under(bridge, law) as after:
        report = after.cycle()
        assert report.decisions["BASIS_SWAP_BLOCKED"] >= 2
        after.settle()
        assert after.is_stopped(no)
        assert after.row(no)["Consent_Status__c"] == "Stopped"
        assert after.person(yes).permissions[EMAIL].basis.value == "CONSENT"


def test_whoever_moves_keeps_the_stricter_law(bridge: Living) -> None:
    contact_id = bridge.permitted()
    bridge.director.rep.update("Contact", contact_id, MailingCountry="Germany")
    report = bridge.cycle()
    assert report.decisions["PROFILE_REEVALUATED_STRICTER"] >= 1
    record = bridge.person(contact_id)
    assert (record.jurisdiction, record.former_jurisdiction) == ("DE", "UK")
    bridge.settle()
    assert bridge.differences() == []


def test_a_country_that_is_merely_learned_is_no_move(bridge: Living) -> None:
    contact_id = bridge.meet(MailingCountry=None)
    bridge.settle()
    assert bridge.person(contact_id).jurisdiction == "UNKNOWN"
    bridge.tell(contact_id, EventKind.GRANT)
    bridge.settle()
    bridge.director.rep.update("Contact", contact_id, MailingCountry="Germany")
    learned = bridge.cycle()
    assert "PROFILE_REEVALUATED_STRICTER" not in learned.decisions
    record = bridge.person(contact_id)
    assert (record.jurisdiction, record.former_jurisdiction, record.moved_at) == ("DE", None, None)
    bridge.settle()
    assert bridge.differences() == []
    # Whoever leaves the place that was learned has moved.
    bridge.director.rep.update("Contact", contact_id, MailingCountry="France")
    moved = bridge.cycle()
    assert moved.decisions["PROFILE_REEVALUATED_STRICTER"] >= 1
    record = bridge.person(contact_id)
    assert (record.jurisdiction, record.former_jurisdiction) == ("FR", "DE")
    assert bridge.audit_is_intact()


def test_a_policy_that_was_never_kept_changes_nothing_that_is_said(
    bridge: Living, known: tuple[str, str, str]
) -> None:
    """Without the text nobody can say what is different; the standing is worked out anew all the same."""
    law = changed(POLICY_TEXT, RETIRED)
    unknown = replace(bridge, world=replace(bridge.world, policy=law))
    report = unknown.cycle()
    assert "PURPOSE_RETIRED_REVOKED" not in report.decisions
    unknown.settle()
    assert unknown.row(known[0])["May_Contact__c"] != "OK"


def test_a_trial_says_what_a_policy_would_change_and_changes_nothing(
    bridge: Living, known: tuple[str, str, str]
) -> None:
    yes, _, _ = known
    before = bridge.world.policy
    with bridge.ledger.reading() as tx:
        head = tx.head()
    calls = bridge.world.gateway.calls
    trial = try_policy(
        bridge.ledger,
        bridge.world.org_id,
        before=before,
        after=changed(POLICY_TEXT, RETIRED),
        at=bridge.world.clock(),
        chunk=2,
    )
    assert trial.people == len(known)
    assert trial.after["PURPOSE_RETIRED_REVOKED"] == 1
    assert "PURPOSE_RETIRED_REVOKED" not in trial.before
    mine = [each for each in trial.changed if (each.contact_id, each.use) == (yes, EMAIL)]
    assert [each.before for each in mine] == ["Permitted"]
    assert mine[0].after != "Permitted"
    assert trial.differing >= len(trial.changed) >= 1
    with bridge.ledger.reading() as tx:
        assert tx.head() == head
    assert bridge.world.gateway.calls == calls
    assert bridge.cycle().writes == {}


def test_a_trial_of_the_same_policy_finds_nothing(
    bridge: Living, known: tuple[str, str, str]
) -> None:
    law = bridge.world.policy
    trial = try_policy(
        bridge.ledger, bridge.world.org_id, before=law, after=law, at=bridge.world.clock()
    )
    assert trial.people == len(known)
    assert (trial.before, trial.changed, trial.differing) == (trial.after, (), 0)


def test_a_trial_counts_people_who_share_an_address_once(bridge: Living) -> None:
    for _ in range(5):
        bridge.meet(email="info@example.org")
    bridge.permitted()
    law = bridge.world.policy
    found = {
        chunk: try_policy(
            bridge.ledger,
            bridge.world.org_id,
            before=law,
            after=changed(POLICY_TEXT, RETIRED),
            at=bridge.world.clock(),
            chunk=chunk,
        )
        for chunk in (1, 2, 100)
    }
    assert found[1] == found[2] == found[100]
    assert NEWS in {each.use.purpose for each in found[1].changed}


def test_a_trial_of_an_empty_ledger_finds_nobody(bridge: Living) -> None:
    law = bridge.world.policy
    trial = try_policy(
        bridge.ledger, bridge.world.org_id, before=law, after=law, at=bridge.world.clock()
    )
    assert (trial.people, trial.differing) == (0, 0)
