"""What people do in the org: reps who type, and admins who merge, delete and take back."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from salesforce_bridge.permissions.keys import Channel, PurposeKey, Use
from salesforce_bridge.permissions.proofs import Token, issue
from salesforce_bridge.simulator.director import Actor, Refused
from tests.histories.bundles import EVENTS, NEWS, RESEARCH, SERVICE
from tests.histories.meeting import OBJECTS, STOP, YES, Asked, OfLead, Overwritten, Ticked, Wished
from tests.histories.oracle import FLAGS, OLDEST, POINT_OF, Sighted, Yes
from tests.histories.scripted import Act, Part
from tests.histories.stage import PROOF_KEYS, ROW, WISHES, Shown, Stage

EMAILS = ("ann@example.org", "bob@example.org", "Ann+news@Example.org", "cid@example.org", None)
PHONES = ("+442079460018", "+442079460018", "+442079460019", None)
COUNTRIES = ("United Kingdom", "United Kingdom", "Germany", "France", "Austria", None, "Nowhere")
USES = ((NEWS, "EMAIL"), (NEWS, "LIVE_CALL"), (NEWS, "POST"), (EVENTS, "EMAIL"))
OTHERS = ((RESEARCH, "EMAIL"), (SERVICE, "EMAIL"), ("space_travel", "EMAIL"), (NEWS, "SMS"))
MOST_CONTACTS = 5
_RULES = (("Contact", "Result_Fields"), (ROW, "Result_Fields"))


def _living(stage: Stage) -> list[Sighted]:
    return sorted(
        (each for each in stage.contacts().values() if not each.deleted), key=lambda each: each.id
    )


def _rep(stage: Stage, act: Act) -> Actor:
    return stage.director.rep if act.how % 3 else stage.director.rep2


def meets(stage: Stage, act: Act) -> str | None:
    """A rep types in somebody new, perhaps with the address of somebody known."""
    if len(_living(stage)) >= MOST_CONTACTS:
        return None
    email, phone = act.one(EMAILS, act.who), act.one(PHONES, act.what)
    country = act.one(COUNTRIES, act.how)
    flag = act.one(tuple(FLAGS), act.who) if act.what % 11 == 0 else None
    fields = {"LastName": "Person", "Email": email, "Phone": phone, "MailingCountry": country}
    created = _rep(stage, act).create("Contact", **fields, **({flag: True} if flag else {}))
    if flag is not None:
        stage.pending.append(Ticked(contact_id=created, flag=flag, at=stage.now()))
    born = f", {flag} ticked" if flag else ""
    return f"a rep types in Contact {stage.name(created)} ({email}, {phone}, {country}{born})"


def asks_to_stop(stage: Stage, act: Act) -> str | None:
    """A rep types on a row that the person wants it stopped, or objects."""
    row = act.one(stage.rows(), act.who)
    if row is None:
        return None
    request = OBJECTS if act.what % 3 == 0 else STOP
    if row.request == request:
        return None  # nothing changes, so nobody can know that it was said again
    _rep(stage, act).update(ROW, row.id, Requested_Change__c=request)
    stage.pending.append(Asked(record_id=row.id, at=stage.now()))
    return f'a rep types "{request}" on {_words(stage, row)}'


def says_they_agreed(stage: Stage, act: Act) -> str | None:
    """A rep types on a row that the person gave permission, with all kinds of proof."""
    row = act.one(stage.rows(), act.who)
    if row is None:
        return None
    evidence, words = _evidence(stage, act, row)
    _rep(stage, act).update(
        ROW,
        row.id,
        Requested_Change__c=YES,
        Requested_Change_Evidence__c=evidence,
        Requested_Change_Note__c="said so on the telephone" if act.how % 2 else None,
    )
    return f'a rep types "{YES}" on {_words(stage, row)} with {words}'


def _evidence(stage: Stage, act: Act, row: Shown) -> tuple[str | None, str]:
    if act.what % 8 == 0:
        return None, "no proof"
    if act.what % 8 == 1:
        return "scan 4711", "the number of a scan"
    owner = stage.contacts().get(row.owner or "")
    if owner is None or row.use not in USES:
        return "scan 4712", "the number of a scan"
    kind = "CALL_RECORDING" if act.what % 8 == 2 else "DOI_TOKEN"
    ago = (0.001, 0.01, 1, 30, -1)[act.how % 5] if act.what % 8 < 7 else 0.001
    happened_at = (stage.now() - timedelta(days=ago)).replace(microsecond=0)
    point = POINT_OF.get(row.use[1], "EMAIL")
    address = owner.email if point == "EMAIL" else next(iter(owner.phones), None)
    if act.what % 8 == 3:
        address = "somebody.else@example.org"
    if address is None:
        return "scan 4713", "the number of a scan"
    stage.proofs += 1
    token = Token(
        kind=kind,
        id=f"t{stage.proofs}",
        happened_at=happened_at,
        notice_id=stage.bundle.notice_at(happened_at),
        use=Use(purpose=PurposeKey(row.use[0]), channel=Channel(row.use[1])),
        address=address,
    )
    forged = act.what % 8 == 4
    text = issue(token, b"x" * 32 if forged else PROOF_KEYS[kind])
    told = f"a {'forged ' if forged else ''}{kind} for {address} of {ago} days ago"
    if not forged and act.what % 8 != 3:
        stage.oracle.says_yes(
            Yes(use=row.use, at=happened_at, address=address, contacts={owner.id}, lasts=OLDEST),
            direct=False,  # after a stop two people look at it first
            proof=kind == "DOI_TOKEN",
        )
    return text, told


def makes_a_row(stage: Stage, act: Act) -> str | None:
    """A rep makes a row by hand, sometimes for something that nobody knows."""
    contact = act.one(_living(stage), act.who)
    if contact is None:
        return None
    use = act.one((*USES, *OTHERS, *OTHERS), act.what)
    assert use is not None
    request = (None, STOP, OBJECTS, YES)[act.how % 4]
    row_id = _rep(stage, act).create(
        ROW,
        Contact__c=contact.id,
        Purpose__c=use[0],
        Channel__c=use[1],
        Requested_Change__c=request,
    )
    if request in (STOP, OBJECTS):
        stage.pending.append(Asked(record_id=row_id, at=stage.now()))
    asked = f', with "{request}"' if request else ""
    return f"a rep makes a row for {use[0]}/{use[1]} of Contact {stage.name(contact.id)}{asked}"


def ticks(stage: Stage, act: Act) -> str | None:
    """A rep ticks a standard flag."""
    contact, flag = act.one(_living(stage), act.who), act.one(tuple(FLAGS), act.what)
    if contact is None or flag is None or flag in contact.flags:
        return None
    _rep(stage, act).update("Contact", contact.id, **{flag: True})
    stage.pending.append(Ticked(contact_id=contact.id, flag=flag, at=stage.now()))
    return f"a rep ticks {flag} on Contact {stage.name(contact.id)}"


def unticks(stage: Stage, act: Act) -> str | None:
    """A rep takes the tick of a standard flag away."""
    ticked = [(each, flag) for each in _living(stage) for flag in sorted(each.flags)]
    found = act.one(ticked, act.who)
    if found is None:
        return None
    contact, flag = found
    _rep(stage, act).update("Contact", contact.id, **{flag: False})
    return f"a rep unticks {flag} on Contact {stage.name(contact.id)}"


def moves(stage: Stage, act: Act) -> str | None:
    """A rep changes an address, a number or the country of somebody."""
    contact = act.one(_living(stage), act.who)
    if contact is None:
        return None
    field, options = (
        ("Email", EMAILS),
        ("Phone", PHONES),
        ("MobilePhone", PHONES),
        ("MailingCountry", COUNTRIES),
    )[act.what % 4]
    value = options[act.how % len(options)]
    _rep(stage, act).update("Contact", contact.id, **{field: value})
    return f"a rep sets {field} of Contact {stage.name(contact.id)} to {value}"


def switches_rules(stage: Stage, _: Act) -> str | None:
    """An admin lifts the rules that keep people off the result fields, or puts them back."""
    stage.rules_off = not stage.rules_off
    for table, rule in _RULES:
        stage.director.set_rule(table, rule, active=not stage.rules_off)
    return f"an admin switches the rule for result fields {'off' if stage.rules_off else 'on'}"


def edits_results(stage: Stage, act: Act) -> str | None:
    """Somebody writes over a result of a row."""
    row = act.one(stage.rows(), act.who)
    if row is None or not stage.rules_off:
        return None
    status = ("Permitted", "Stopped", None, "Not asked", "Lapsed", "Permitted")[act.what % 6]
    if act.how % 4 == 0:
        stage.director.admin.update(ROW, row.id, Notice_Version__c="some other text")
        return f"an admin writes another notice on {_words(stage, row)}"
    if status == row.status:
        return None  # nothing that anybody could see
    stage.director.admin.update(ROW, row.id, Consent_Status__c=status)
    if status == "Stopped":
        stage.pending.append(Overwritten(record_id=row.id, at=stage.now()))
    return f"an admin sets the status of {_words(stage, row)} to {status}"


def edits_contact_results(stage: Stage, act: Act) -> str | None:
    """Somebody writes over the result of a Contact."""
    contact = act.one(_living(stage), act.who)
    if contact is None or not stage.rules_off:
        return None
    status = ("Permitted", "Stopped", None, "Partly permitted")[act.what % 4]
    if status == stage.shown_on_contacts()[contact.id][0]:
        return (
            None  # one channel that is stopped shows as that too: nobody can know that it was meant
        )
    stage.director.admin.update("Contact", contact.id, Consent_Status__c=status)
    if status == "Stopped":
        stage.pending.append(Overwritten(record_id=contact.id, at=stage.now()))
    return f"an admin sets the status of Contact {stage.name(contact.id)} to {status}"


def loads(stage: Stage, act: Act) -> str | None:
    """A loader writes over the results of many rows at once."""
    rows = stage.rows()
    if len(rows) < 2 or not stage.rules_off:
        return None
    status = ("Permitted", None)[act.what % 2]
    chosen = rows[act.who % 2 :: 1 + act.how % 2]
    for row in chosen:
        stage.director.admin.update(ROW, row.id, Consent_Status__c=status)
    return f"a loader sets the status of {len(chosen)} rows to {status}"


def moves_a_row(stage: Stage, act: Act) -> str | None:
    """Somebody hangs a row on another Contact."""
    row, contact = act.one(stage.rows(), act.who), act.one(_living(stage), act.what)
    if row is None or contact is None or row.contact_id == contact.id:
        return None
    stage.director.admin.update(ROW, row.id, Contact__c=contact.id)
    return f"an admin hangs {_words(stage, row)} on Contact {stage.name(contact.id)}"


def deletes_a_row(stage: Stage, act: Act) -> str | None:
    """An admin deletes a row, or takes one out of the recycle bin."""
    rows = stage.rows(all_rows=True)
    row = act.one(rows, act.who)
    if row is None:
        return None
    if row.deleted:
        stage.director.admin.undelete(ROW, row.id)
        return f"an admin undeletes {_words(stage, row)}"
    stage.director.admin.delete(ROW, row.id)
    return f"an admin deletes {_words(stage, row)}"


def merges(stage: Stage, act: Act) -> str | None:
    """An admin folds one Contact into another."""
    living = _living(stage)
    winner, loser = act.one(living, act.who), act.one(living, act.what)
    if winner is None or loser is None or winner.id == loser.id:
        return None
    stage.director.admin.merge("Contact", winner.id, [loser.id])
    for yes in stage.oracle.yeses:
        if loser.id in yes.contacts:
            yes.contacts.add(winner.id)
    return f"an admin merges Contact {stage.name(loser.id)} into {stage.name(winner.id)}"


def deletes(stage: Stage, act: Act) -> str | None:
    """An admin deletes a Contact."""
    contact = act.one(_living(stage), act.who)
    if contact is None:
        return None
    stage.director.admin.delete("Contact", contact.id)
    return f"an admin deletes Contact {stage.name(contact.id)}"


def undeletes(stage: Stage, act: Act) -> str | None:
    """An admin takes a Contact out of the recycle bin; one that was merged away lives again."""
    gone = sorted(each.id for each in stage.contacts().values() if each.deleted)
    contact_id = act.one(gone, act.who)
    if contact_id is None:
        return None
    stage.director.admin.undelete("Contact", contact_id)
    return f"an admin undeletes Contact {stage.name(contact_id)}"


def purges(stage: Stage, act: Act) -> str | None:
    """A Contact vanishes for good."""
    gone = sorted(each.id for each in stage.contacts().values() if each.deleted)
    contact_id = act.one(gone, act.who)
    if contact_id is None:
        return None
    stage.director.purge("Contact", [contact_id])
    return f"Contact {stage.name(contact_id)} vanishes from the recycle bin"


def converts(stage: Stage, act: Act) -> str | None:
    """A rep turns a Lead with opt-outs into a new Contact."""
    if len(_living(stage)) >= MOST_CONTACTS:
        return None
    email = act.one(EMAILS[:4], act.who)
    flags = [flag for place, flag in enumerate(FLAGS) if act.what >> place & 1]
    lead = stage.director.rep.create(
        "Lead",
        LastName="Prospect",
        Company="Prospects",
        Email=email,
        Country="Germany" if act.how % 2 else "United Kingdom",
        **dict.fromkeys(flags, True),
    )
    made = stage.director.rep.convert_lead(lead).contact_id
    at = stage.now()
    stage.pending.extend(OfLead(contact_id=made, lead_id=lead, flag=flag, at=at) for flag in flags)
    told = " and ".join(flags) or "no flag"
    return f"a rep converts a Lead ({email}) with {told} into Contact {stage.name(made)}"


def wishes(stage: Stage, act: Act) -> str | None:
    """A privacy record of somebody gets a flag, and is made first where there is none."""
    contact, wish = act.one(_living(stage), act.who), act.one(WISHES, act.what)
    if contact is None or wish is None:
        return None
    individual = contact.individual
    if individual is None:
        individual = stage.director.admin.create("Individual", LastName="Private")
        stage.director.admin.update("Contact", contact.id, IndividualId=individual)
    off = wish in contact.wishes
    stage.director.admin.update("Individual", individual, **{wish: not off})
    if not off:
        _wished(stage, individual, wish, stage.now())
    verb = "takes back" if off else "sets"
    return f"an admin {verb} {wish} on the Individual of Contact {stage.name(contact.id)}"


def _wished(stage: Stage, individual: str, wish: str, at: datetime) -> None:
    for each in _living(stage):
        if each.individual == individual:
            stage.pending.append(Wished(contact_id=each.id, wish=wish, at=at))


def _words(stage: Stage, row: Shown) -> str:
    return f"the row {row.purpose}/{row.channel} of Contact {stage.name(row.owner)}"


def _unless_refused(play: Part) -> Part:
    """What the org refuses did not happen."""

    def played(stage: Stage, act: Act) -> str | None:
        try:
            return play.play(stage, act)
        except Refused:
            return None

    return Part(weight=play.weight, play=played)


PARTS: Mapping[str, Part] = {
    name: _unless_refused(Part(weight=weight, play=play))
    for name, weight, play in (
        ("meets", 5, meets),
        ("asks_to_stop", 8, asks_to_stop),
        ("says_they_agreed", 12, says_they_agreed),
        ("makes_a_row", 4, makes_a_row),
        ("ticks", 6, ticks),
        ("unticks", 4, unticks),
        ("moves", 7, moves),
        ("switches_rules", 4, switches_rules),
        ("edits_results", 9, edits_results),
        ("edits_contact_results", 2, edits_contact_results),
        ("loads", 2, loads),
        ("moves_a_row", 2, moves_a_row),
        ("deletes_a_row", 4, deletes_a_row),
        ("merges", 6, merges),
        ("deletes", 4, deletes),
        ("undeletes", 5, undeletes),
        ("purges", 1, purges),
        ("converts", 2, converts),
        ("wishes", 4, wishes),
    )
}
