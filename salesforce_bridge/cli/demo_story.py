"""The story of the demo, beat by beat; every beat says what has to come out of it, and fails loudly if it does not."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from salesforce_bridge.audit.chain import Break
from salesforce_bridge.cli.demo_cast import EMAIL, EXPIRES_AFTER
from salesforce_bridge.cli.demo_law import (
    another_policy,
    expiry_and_renewal,
    mass_change,
    wish,
)
from salesforce_bridge.cli.demo_ledger import bring_in, first_files, late_files
from salesforce_bridge.cli.demo_play import Play
from salesforce_bridge.cli.demo_telling import Told, label
from salesforce_bridge.ledger import views
from salesforce_bridge.permissions.keys import ContactId

OUTAGE = timedelta(hours=1)
TICKS = timedelta(minutes=5)  # more than all ticks of the story together
BEHIND = (
    EXPIRES_AFTER + OUTAGE + TICKS
)  # how far in the past the story begins, so that it ends in the present
TOP_REASONS = 8
ALL_CLAIMS = 10_000


def _before(play: Play) -> None:
    director = play.stage.director
    contacts = play.contacts()
    rows = director.query(
        "SELECT Consent_Status__c, Evidence_Ref__c, Requested_Change__c FROM Permission__c"
    )
    born_out = play.born_opted_out()
    play.tell(
        ("Salesforce before the bridge", "number"),
        (
            ("Contacts", len(contacts)),
            ("… with an opt-out box ticked", len(born_out)),
            *(
                (f"Permission__c: {claim}", n)
                for claim, n in Counter(map(_claimed, rows)).most_common()
            ),
            *(
                (f"Can I contact? {light}", n)
                for light, n in Counter(
                    each["Contact_Permission__c"] for each in contacts
                ).most_common()
            ),
        ),
    )
    bring_in(play, first_files(play.cast, at=play.stage.now()))


def _first_reconciliation(play: Play) -> None:
    cast = play.cast
    born_out = play.born_opted_out()
    told = play.cycle()
    report = told.report
    stopped = {
        (each.payload or {}).get("contact_id")
        for each in told.entries
        if each.kind == "DECISION" and each.header["situation"] in {"S04_CRM_STOP", "S12_FLAG_SET"}
    }
    play.tell(
        ("", ""),
        (
            ("Contacts read and judged", report.read),
            ("decisions sealed", sum(report.decisions.values())),
            ("writes accepted", report.writes.get("accepted", 0)),
            ("API calls", report.calls),
            ("born with an opt-out box ticked → stopped", len(born_out)),
        ),
    )
    play.tell(
        ("reason", "decisions", "in words"),
        (
            (reason, number, _in_words(told, reason))
            for reason, number in Counter(report.decisions).most_common(TOP_REASONS)
        ),
        title="why, most frequent first",
    )
    play.expect("every Contact is judged", report.read, wanted=len(play.contacts()))
    play.expect("every write is accepted", set(report.writes), wanted={"accepted"})
    play.expect("every opt-out box became a stop", born_out - stopped, wanted=set())
    waiting = play.contact(cast.permitted.contact_id)
    play.expect(
        "the light before the first sign of life", waiting["Contact_Permission__c"], wanted="Wait"
    )
    play.settle()
    sample = (cast.permitted, cast.merged_into, cast.merged_away)
    pages = {each.contact_id: play.contact(each.contact_id) for each in sample}
    play.tell(
        ("", "Can I contact?", "Permission by channel", "Why"),
        (
            (
                label(contact_id),
                page["Contact_Permission__c"],
                page["Permission_Summary__c"],
                page["Permission_Reason__c"],
            )
            for contact_id, page in pages.items()
        ),
        title="what a rep sees on three Contacts, once the next cycle has shown that this one ended clean",
    )
    lights = [page["Contact_Permission__c"] for page in pages.values()]
    play.expect("the three lights", lights, wanted=["OK", "Partly: see channels", "Do not"])


def _stops(play: Play) -> None:
    cast, director = play.cast, play.stage.director
    asked, ticked = cast.stops, cast.opts_out
    watched = ((asked, EMAIL), (ticked, EMAIL))
    before = play.lights(*watched)
    director.rep.update(
        "Permission__c",
        play.row(asked.contact_id, EMAIL)["Id"],
        Requested_Change__c="Asked us to stop",
    )
    director.rep2.update("Contact", ticked.contact_id, HasOptedOutOfEmail=True)
    at_once = play.lights(*watched)
    play.expect(
        "the formulas turn before any cycle",
        at_once,
        wanted={
            (asked.contact_id, EMAIL): ("OK", "Do not"),
            (ticked.contact_id, EMAIL): ("Do not", "Do not"),
        },
    )
    told = play.cycle(asked.contact_id, ticked.contact_id)
    after = play.lights(*watched)
    play.tell_lights((("before", before), ("at once", at_once), ("after the cycle", after)))
    play.expect_decision(told, asked.contact_id, "STOP_HONOURED")
    play.expect_decision(told, ticked.contact_id, "FLAG_STOP_HONOURED")
    for who in (asked, ticked):
        row = play.row(who.contact_id, EMAIL)
        play.expect("the row is stopped", row["Consent_Status__c"], wanted="Stopped")
        play.expect(
            "the other channels stay",
            after[who.contact_id, EMAIL][0],
            wanted="Partly: see channels",
        )
    answered = play.row(asked.contact_id, EMAIL)
    play.expect(
        "the request is answered",
        answered["Requested_Change_Handled__c"],
        wanted="Asked us to stop",
    )
    play.expect("and cleared", answered["Requested_Change__c"], wanted=None)
    play.settle()


def _claims(play: Play) -> None:
    cast, rep = play.cast, play.stage.director.rep
    unproven, stopped = cast.unproven.contact_id, cast.opts_out.contact_id
    for contact_id in (unproven, stopped):
        rep.update(
            "Permission__c",
            play.row(contact_id, EMAIL)["Id"],
            Requested_Change__c="Gave permission",
            Requested_Change_Note__c="Said yes on the phone",
        )
    told = play.cycle(unproven, stopped)
    play.expect_decision(told, unproven, "GRANT_QUARANTINED_NO_EVIDENCE")
    play.expect_decision(told, stopped, "GRANT_AFTER_STOP_REJECTED")
    waiting, refused = play.row(unproven, EMAIL), play.row(stopped, EMAIL)
    play.expect("nothing is permitted", waiting["May_Contact__c"], wanted="Never asked")
    play.expect(
        "the row says why", waiting["Reason_Code__c"], wanted="GRANT_QUARANTINED_NO_EVIDENCE"
    )
    play.expect("the stop stands", refused["May_Contact__c"], wanted="Do not")
    with play.world.ledger.reading() as tx:
        open_claims = views.waiting_claims(tx, limit=ALL_CLAIMS)
        found = views.contact(tx, play.world.org_id, unproven)
    play.say(f"{len(open_claims)} claims wait in quarantine for a person to judge.")
    play.expect(
        "the claim waits",
        found is not None and any(c.open for c in found.record.candidates),
        wanted=True,
    )
    play.settle()


def _comes_back(play: Play) -> None:
    cast, director = play.cast, play.stage.director
    gone = cast.stops
    director.admin.delete("Contact", gone.contact_id)
    again = ContactId(
        director.rep.create(
            "Contact", LastName="Once more", Email=gone.email, MailingCountry="Germany"
        )
    )
    loser, winner = cast.merged_away.contact_id, cast.merged_into.contact_id
    before = play.row(winner, EMAIL)
    director.admin.merge("Contact", winner, [loser])
    told = play.cycle(gone.contact_id, again, loser, winner)
    play.expect("the winner was permitted", before["Consent_Status__c"], wanted="Permitted")
    play.expect_decision(told, gone.contact_id, "LINK_CLOSED_STOP_RETAINED")
    play.expect_decision(told, again, "SUBJECT_LINKED_STOP_INHERITED")
    play.expect_decision(told, loser, "MERGE_STOP_CARRIED")
    for contact_id in (again, winner):
        row = play.row(contact_id, EMAIL)
        play.expect(
            f"the stop follows to {label(contact_id)}", row["Consent_Status__c"], wanted="Stopped"
        )
        play.expect("and shows", row["May_Contact__c"], wanted="Do not")
    play.settle()


def _grant_arrives(play: Play) -> None:
    who = play.cast.late
    before = play.lights((who, EMAIL))
    bring_in(play, late_files(play.cast, at=play.stage.now()))
    told = play.cycle(who.contact_id)
    after = play.lights((who, EMAIL))
    play.tell_lights((("before", before), ("after the cycle", after)))
    key = (who.contact_id, EMAIL)
    play.expect_decision(told, who.contact_id, "PUSH_GRANT")
    play.expect("the lights before", before[key], wanted=("Never asked", "Never asked"))
    play.expect("the lights after", after[key], wanted=("OK", "OK"))
    play.settle()


def _outage(play: Play) -> None:
    who = play.cast.permitted
    key = (who.contact_id, EMAIL)
    idle = play.cycle()
    report = idle.report
    play.say(f"An idle cycle: {report.calls} API call, {len(report.writes)} writes.")
    play.expect("API calls of an idle cycle", report.calls, wanted=1)
    play.expect("writes of an idle cycle", dict(report.writes), wanted={})
    before = play.lights((who, EMAIL))
    play.stage.skip(OUTAGE)
    blind = play.lights((who, EMAIL))
    back = play.cycle()
    play.expect(
        "an outage, once over, writes nothing by itself", dict(back.report.writes), wanted={}
    )
    play.cycle()
    play.say(
        "The first cycle after the hour wrote nothing; the heartbeat of the next one shows that it ended clean."
    )
    after = play.lights((who, EMAIL))
    play.tell_lights((("before", before), ("blind for an hour", blind), ("back", after)))
    play.expect("the lights before", before[key], wanted=("OK", "OK"))
    play.expect("the lights of a blind bridge", blind[key], wanted=("Wait", "Wait"))
    play.expect("the lights after", after[key], wanted=("OK", "OK"))


def _proof(play: Play) -> None:
    with play.world.ledger.reading() as tx:
        found = views.verify(tx)
    verdicts = (
        ("content: nothing sealed was changed", found.content),
        ("order: no entry is missing or moved", found.order),
        ("completeness: the manifests count what is there", found.completeness),
    )
    play.tell(("verdict", ""), ((name, _verdict(broken)) for name, broken in verdicts))
    play.say(f"{found.entries} entries of {found.cycles} cycles.")
    play.expect("the audit is intact", found.intact, wanted=True)
    play.expect("no cycle is unfinished", found.unfinished, wanted=())


def _claimed(row: Mapping[str, Any]) -> str:
    """Say what a row of years ago claims."""
    claim = str(row["Consent_Status__c"] or "blank")
    if claim == "Permitted" and not row["Evidence_Ref__c"]:
        claim += ", and nobody can say why"
    return (
        f"{claim}, and a rep typed “{row['Requested_Change__c']}”"
        if row["Requested_Change__c"]
        else claim
    )


def _in_words(told: Told, reason: str) -> str:
    payloads = (each.payload or {} for each in told.entries if each.header.get("reason") == reason)
    return str(next(payloads)["explanation"])


def _verdict(broken: Break | None) -> str:
    return "✓" if broken is None else f"✗ entry {broken.seq}: {broken.what}"


BEATS: tuple[tuple[str, Callable[[Play], None]], ...] = (
    (
        "An org with years of unproven claims, and a ledger that is told what somebody can prove",
        _before,
    ),
    ("The first cycle judges everybody", _first_reconciliation),
    ("Two people ask to stop: one rep records it on a row, another ticks Email Opt Out", _stops),
    ("A rep types a permission without proof, and one for somebody who asked to stop", _claims),
    ("Sixty permissions are typed at once, while somebody asks to stop", mass_change),
    ("A Contact with a stop is deleted and typed again; another is merged away", _comes_back),
    ("A privacy record says: no solicitation", wish),
    ("A consent ends, and another one has to be renewed", expiry_and_renewal),
    ("A proof arrives at the ledger", _grant_arrives),
    ("Another policy is tried on everybody before it counts", another_policy),
    ("Nothing happens; then the bridge is down for an hour", _outage),
    ("The audit is read again from its first entry", _proof),
)
