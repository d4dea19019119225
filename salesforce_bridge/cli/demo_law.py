"""The beats of the demo about the law as a whole: a mass change, a person's wish, a renewal, another policy."""

from collections import Counter
from dataclasses import dataclass

from salesforce_bridge.cli.demo_cast import EMAIL, EVERY_CHANNEL, EXPIRES_AFTER
from salesforce_bridge.cli.demo_play import Play
from salesforce_bridge.cli.demo_telling import UNREMARKABLE, label, shown
from salesforce_bridge.cli.policy_tried import counted
from salesforce_bridge.ledger import views
from salesforce_bridge.permissions.policy import Policy, parse_policy
from salesforce_bridge.permissions.policy_diff import diff
from salesforce_bridge.permissions.rights import CaseKind
from salesforce_bridge.trial import Trial, try_policy

CROWD = 60  # more than the floor that the policy sets for a mass change
ALL_CLAIMS = 10_000
OPERATOR, SECOND = "demo", "demo-second"  # the two logins of the story


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    """Another version of the policy that ships."""

    policy: Policy
    text: str


def mass_change(play: Play) -> None:
    """Many permissions are typed at once, while somebody asks to stop."""
    director, who = play.stage.director, play.cast.stops_meanwhile
    rows = director.query(
        f"SELECT Id FROM Permission__c WHERE Consent_Status__c = 'Not asked' LIMIT {CROWD}"  # noqa: S608  # not SQL
    )
    play.expect("rows to permit", len(rows), wanted=CROWD)
    before = _claims_waiting(play)
    for row in rows:
        director.rep2.update("Permission__c", row["Id"], Requested_Change__c="Gave permission")
    asked = play.row(who.contact_id, EMAIL)["Id"]
    director.rep.update("Permission__c", asked, Requested_Change__c="Asked us to stop")
    told = play.cycle(who.contact_id, held=True)
    play.say(f"Held: {told.report.circuit}.")
    parked = told.report.decisions.get("MASS_CHANGE_CIRCUIT_OPEN", 0)
    play.expect("every one of them is parked", parked, wanted=CROWD)
    play.expect("no claim is recorded yet", _claims_waiting(play), wanted=before)
    play.expect_decision(told, who.contact_id, "STOP_HONOURED")
    stopped = play.row(who.contact_id, EMAIL)["Consent_Status__c"]
    play.expect("the stop is written all the same", stopped, wanted="Stopped")
    with play.world.ledger.begin() as tx:
        closed = tx.close_circuit(
            play.world.org_id,
            by=OPERATOR,
            reason="A colleague typed the list of a fair; it needs proof like any other.",
            at=play.world.clock(),
            policy=play.world.policy,
        )
    play.expect("a person closes the circuit", closed, wanted=True)
    judged = play.cycle()
    play.expect("then they are claims", _claims_waiting(play), wanted=before + CROWD)
    quarantined = judged.report.decisions["GRANT_QUARANTINED_NO_EVIDENCE"]
    play.say(
        f"Somebody looked, and said so: {quarantined} claims without proof wait in quarantine;"
        " none of them permits anything."
    )
    play.settle()


def wish(play: Play) -> None:
    """An Individual says no to all solicitation."""
    admin, who = play.stage.director.admin, play.cast.wishes
    before = play.lights((who, EMAIL))
    individual = admin.create("Individual", LastName="Somebody")
    admin.update("Contact", who.contact_id, IndividualId=individual)
    admin.update("Individual", individual, HasOptedOutSolicit=True)
    told = play.cycle(who.contact_id)
    after = play.lights((who, EMAIL))
    play.tell_lights((("before", before), ("after the cycle", after)))
    play.expect_decision(told, who.contact_id, "RIGHTS_REQUEST_OPENED")
    rows = (play.row(who.contact_id, channel) for channel in EVERY_CHANNEL)
    lights = {each["May_Contact__c"] for each in rows}
    play.expect("every channel says no", lights, wanted={"Do not"})
    with play.world.ledger.reading() as tx:
        found = views.contact(tx, play.world.org_id, who.contact_id)
    cases = () if found is None else found.record.cases
    kinds = [each.kind for each in cases]
    play.expect("a case is open", kinds, wanted=[CaseKind.MARKETING_OBJECTION])
    play.say(f"The stop holds at once; they are answered by {cases[0].due_at:%Y-%m-%d}.")
    play.settle()


def expiry_and_renewal(play: Play) -> None:
    """One consent ends; another one should be renewed."""
    ends, renews = play.cast.expiring, play.cast.renews
    watched = ((ends, EMAIL), (renews, EMAIL))
    before = play.lights(*watched)
    play.stage.skip(EXPIRES_AFTER)
    at_once = play.lights(*watched)
    told = play.cycle(ends.contact_id, renews.contact_id)
    after = play.lights(*watched)
    play.tell_lights((("before", before), ("it ends", at_once), ("after the cycle", after)))
    key = (ends.contact_id, EMAIL)
    play.expect("the light of a running consent", before[key][1], wanted="OK")
    play.expect("the light at its end, before the cycle", at_once[key][1], wanted="Wait")
    play.expect("the light after the cycle", after[key][1], wanted="Do not")
    play.expect_decision(told, ends.contact_id, "EXPIRED_BY_RULE")
    row = play.row(ends.contact_id, EMAIL)
    play.expect("the row lapses", row["Consent_Status__c"], wanted="Lapsed")
    play.expect_decision(told, renews.contact_id, "RENEWAL_PROMPT_DUE")
    renewed = play.row(renews.contact_id, EMAIL)
    play.expect("the other one stays", renewed["Consent_Status__c"], wanted="Permitted")
    play.expect(
        "and says until when to renew it",
        renewed["Renew_By__c"] == renewed["Effective_To__c"] is not None,
        wanted=True,
    )
    play.say(f"{label(renews.contact_id)} is to be asked again by {shown(renewed['Renew_By__c'])}.")
    play.settle()


def another_policy(play: Play) -> None:
    """A policy is tried on everybody and dropped; a gentler one is applied by two people."""
    world = play.world
    strict = _version(play, "2026-02", ('max_age = "730d"', 'max_age = "12h"'))
    entries = _entries(play)
    tried = _try(play, strict.policy)
    play.say("“A consent is good for half a day”, tried on everybody in the ledger:")
    play.tell(
        ("decided", "under the one in use", "under the other one"),
        [each for each in counted(tried) if each[1] != each[2] and each[0] not in UNREMARKABLE],
    )
    moves = Counter((each.before, each.after) for each in tried.changed)
    play.say(f"{tried.differing} answers would change; nothing was read, written or recorded.")
    play.expect("consents would lapse", set(moves), wanted={("Permitted", "Lapsed")})
    play.expect("a trial seals nothing", _entries(play), wanted=entries)
    gentle = _version(play, "2026-03", ('quarantine_lasts = "30d"', 'quarantine_lasts = "14d"'))
    play.expect("answers that the other one changes", _try(play, gentle.policy).differing, wanted=0)
    with world.ledger.begin() as tx:
        tx.activate_policy(
            gentle.policy,
            gentle.text,
            by=OPERATOR,
            approved_by=SECOND,
            note="Nobody needs a month to look at a claim.",
            at=world.clock(),
        )
    changes = ", ".join(
        f"{each.place}: {shown(each.before)} → {shown(each.after)}"
        for each in diff(world.policy, gentle.policy)
        if each.place != "version"
    )
    play.say(f"Applied instead, by two people: {changes}.")
    play.world = play.stage.world(play.bridge)
    play.expect("the policy in use", play.world.policy.version, wanted="2026-03")
    told = play.cycle()
    everybody = told.report.read >= len(play.contacts())
    play.expect("everybody is judged by it", everybody, wanted=True)
    play.expect("and nothing has to be written", dict(told.report.writes), wanted={})
    play.settle()


def _version(play: Play, version: str, change: tuple[str, str]) -> _Version:
    text = (play.stage.folder / "policy.toml").read_text("utf-8")
    for before, after in ((f'"{play.world.policy.version}"', f'"{version}"'), change):
        play.expect(f"“{before}” stands in the policy", text.count(before) > 0, wanted=True)
        text = text.replace(before, after, 1)
    return _Version(policy=parse_policy(text), text=text)


def _try(play: Play, policy: Policy) -> Trial:
    world = play.world
    return try_policy(
        world.ledger,
        world.org_id,
        before=world.policy,
        after=policy,
        at=world.clock(),
        sample=ALL_CLAIMS,
    )


def _claims_waiting(play: Play) -> int:
    with play.world.ledger.reading() as tx:
        return len(views.waiting_claims(tx, limit=ALL_CLAIMS))


def _entries(play: Play) -> int:
    with play.world.ledger.reading() as tx:
        return tx.head().seq
