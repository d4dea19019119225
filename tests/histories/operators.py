"""What operators tell the ledger: what came by letter, what a file says, whose Contact it is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from salesforce_bridge.errors import BridgeError
from salesforce_bridge.ledger import records
from salesforce_bridge.ledger.import_lines import Frame
from salesforce_bridge.ledger.imports import ImportKind, plan_import, run_import
from salesforce_bridge.permissions.contact_points import PointType, contact_point
from salesforce_bridge.permissions.evidence import Grade
from salesforce_bridge.permissions.keys import ANY_CHANNEL, ANY_PURPOSE, Channel, PurposeKey, Use
from salesforce_bridge.reconcile.facts import AMBIGUOUS, LIVE_LINKS, SubjectRecord
from tests.histories.bundles import MARKETING, RESEARCH, SERVICE, STATUTORY
from tests.histories.oracle import (
    ANY,
    EMAIL,
    NOBODY,
    OLDEST,
    POINT_OF,
    SCOPED,
    No,
    Sighted,
    Yes,
    wide,
)
from tests.histories.people import EMAILS, USES
from tests.histories.scripted import Act, Part
from tests.histories.stage import Stage
from tests.unit.salesforce.scripted import KEYS

_HEADER = (
    "contact_id,email,phone,purpose,channel,event,happened_at,evidence_grade,evidence_ref,"
    "notice_id,trust,approved_by,verified_by"
)


def _whose(stage: Stage, act: Act) -> tuple[Sighted, SubjectRecord] | None:
    """Somebody whom the ledger has met."""
    known = sorted(stage.records().items())
    found = act.one(known, act.who)
    seen = stage.contacts().get(found[0]) if found is not None else None
    return None if found is None or seen is None else (seen, found[1])


def _use(act: Act) -> Use:
    found = act.one(USES, act.what)
    assert found is not None
    return Use(purpose=PurposeKey(found[0]), channel=Channel(found[1]))


def plain(use: Use) -> tuple[str, str]:
    """A use in the words of the oracle."""
    return str(use.purpose), str(use.channel)


def records_a_stop(stage: Stage, act: Act) -> str | None:
    """A letter says no: to one use, a channel, or all marketing."""
    found = _whose(stage, act)
    if found is None:
        return None
    seen, record = found
    use = _use(act)
    if act.how % 3 == 0:
        use = use._replace(purpose=ANY_PURPOSE)
    if act.how % 6 == 0:
        use = use._replace(channel=ANY_CHANNEL)
    at = stage.now()
    told_at = at  # a letter that was late would not count against a yes since
    word = records.Word(
        subject_id=record.subject_id,
        verb=records.Verb.STOP,
        use=use,
        happened_at=told_at,
        by="anna",
    )
    with stage.ledger.begin() as tx:
        records.record_event(tx, word, at=at, policy=stage.policy)
    words = (
        f"an operator records that Contact {stage.name(seen.id)} stops {use.purpose}/{use.channel}"
    )
    for contact_id in stage.contacts_of(record):
        no = No(words=words, told_at=told_at, purpose=use.purpose, channel=use.channel)
        stage.oracle.tells(contact_id, no)
    return words


def records_a_yes(stage: Stage, act: Act) -> str | None:
    """A signed form says yes: two people have looked at it."""
    found = _whose(stage, act)
    if found is None:
        return None
    seen, record = found
    use, at = _use(act), stage.now()
    happened_at = at - timedelta(minutes=(1, 30, 60 * 24 * 20, 60 * 24 * 400)[act.how % 4])
    kind = POINT_OF.get(use.channel, EMAIL)
    address = seen.email if kind == EMAIL else next(iter(seen.phones), None)
    if address is None:
        return None
    point = contact_point(PointType(kind), address, keys=KEYS, default_country="GB")
    direct = act.what % 3 != 0
    proof = records.Proof(
        grade=Grade.A if direct else Grade.B,
        ref="form-17",
        notice_id=stage.bundle.notice_at(happened_at),
        point=point.exact if point is not None else None,
        by_the_person=direct,
    )
    word = records.Word(
        subject_id=record.subject_id,
        verb=records.Verb.GRANT,
        use=use,
        happened_at=happened_at,
        by="anna",
        approved_by="bert",
        proof=proof,
    )
    with stage.ledger.begin() as tx:
        appended = records.record_event(tx, word, at=at, policy=stage.policy)
    begins_anew(stage, record)
    yes = Yes(
        use=plain(use),
        at=happened_at,
        address=address if use.channel in SCOPED else None,
        contacts=stage.contacts_of(record),
        lasts=OLDEST,
    )
    if not appended.refused:
        stage.oracle.says_yes(yes, direct=direct)
    how = "the person's own form" if direct else "a recording"
    ago = at - happened_at
    refused = f" ({', '.join(appended.refused.values())})" if appended.refused else ""
    return (
        f"an operator records {how} of {ago} ago: Contact {stage.name(seen.id)} says yes to"
        f" {use.purpose}/{use.channel} for {address}{refused}"
    )


def begins_anew(stage: Stage, record: SubjectRecord) -> None:
    """A yes after an erasure is that of a new person, who has the Contacts that are still there."""
    if record.erased:
        alive = (link for link in record.links if link.state in LIVE_LINKS)
        stage.oracle.begins_anew(str(link.contact_id) for link in alive)


def establishes(stage: Stage, act: Act) -> str | None:
    """A contract or a legal duty is recorded, or that it ended."""
    found = _whose(stage, act)
    if found is None:
        return None
    seen, record = found
    purpose = (SERVICE, STATUTORY, RESEARCH)[act.what % 3]
    verb = records.Verb.END if act.how % 3 == 0 else records.Verb.ESTABLISH
    use, at = Use(purpose=PurposeKey(purpose), channel=Channel("EMAIL")), stage.now()
    ends = at + timedelta(days=45) if act.how % 2 else None
    word = records.Word(
        subject_id=record.subject_id,
        verb=verb,
        use=use,
        happened_at=at - timedelta(minutes=1),
        by="anna",
        approved_by="bert",
        proof=records.Proof(grade=Grade.B, ref="file-9"),
        effective_to=ends if verb is records.Verb.ESTABLISH else None,
        condition_ref="K-17" if verb is records.Verb.ESTABLISH else None,
    )
    with stage.ledger.begin() as tx:
        records.record_event(tx, word, at=at, policy=stage.policy)
    if verb is records.Verb.ESTABLISH:
        yes = Yes(
            use=plain(use),
            at=at,
            address=None,
            contacts=stage.contacts_of(record),
            lasts=timedelta(days=46) if ends else None,
            consent=False,
        )
        stage.oracle.says_yes(yes, direct=False)
    until = f" until {ends:%-d %b}" if ends and verb is records.Verb.ESTABLISH else ""
    return f"an operator records {verb.value} of {purpose} for Contact {stage.name(seen.id)}{until}"


def holds(stage: Stage, act: Act) -> str | None:
    """An operator holds a use, or releases it."""
    found = _whose(stage, act)
    if found is None:
        return None
    seen, record = found
    use, at = _use(act), stage.now()
    verb = records.Verb.HOLD if act.how % 2 else records.Verb.RELEASE
    word = records.Word(subject_id=record.subject_id, verb=verb, use=use, happened_at=at, by="anna")
    with stage.ledger.begin() as tx:
        records.record_event(tx, replace(word, approved_by="bert"), at=at, policy=stage.policy)
    return (
        f"an operator records {verb.value} on {use.purpose}/{use.channel} of Contact"
        f" {stage.name(seen.id)}"
    )


def confirms_a_link(stage: Stage, act: Act) -> str | None:
    """Somebody makes sure that a Contact is the person it was taken for."""
    links = [
        link
        for each in sorted(stage.names)
        if (link := stage.link(each)) is not None and link.state == AMBIGUOUS
    ]
    link = act.one(links, act.who)
    if link is None:
        return None
    with stage.ledger.begin() as tx:
        records.confirm_link(tx, link, by="anna", at=stage.now(), policy=stage.policy)
    family = stage.contacts_of(stage.record(link.subject_id)) | {str(link.contact_id)}
    for yes in stage.oracle.yeses:
        if yes.contacts & family:
            yes.contacts |= family
    return f"an operator confirms whose Contact {stage.name(link.contact_id)} is"


def imports(stage: Stage, act: Act) -> str | None:
    """A file brings what people said elsewhere, by Contact or by address."""
    at = stage.now()
    contacts = stage.contacts()
    known = act.one(sorted(each for each in stage.names if each in contacts), act.who)
    email = act.one(EMAILS[:4], act.who)
    use = _use(act)
    by_address = known is None or act.how % 2 == 0
    event = ("STOP", "WITHDRAW", "OBJECT", "GRANT")[act.how % 4]
    happened_at = at - timedelta(days=1) if event == "GRANT" else at
    seen = None if by_address or known is None else contacts[known]
    address = email if seen is None else seen.email
    if address is None or (event == "GRANT" and seen is None):
        return None
    phone = "" if seen is None else next(iter(seen.phones), "")
    proof = f"A,form-19,{stage.bundle.notice_at(happened_at)},SUBJECT_DIRECT,,carl"
    line = (
        f"{'' if by_address else known},{address},{phone},{use.purpose},{use.channel},{event},"
        f"{happened_at.isoformat()},{proof if event == 'GRANT' else ',,,,,'}"
    )
    frame = Frame(org_id=stage.world.org_id, policy=stage.policy, keys=KEYS, at=at, by="anna")
    with stage.ledger.begin() as tx:
        plan = plan_import(tx, f"{_HEADER}\n{line}\n", ImportKind.PERMISSIONS, frame)
        run_import(tx, plan)
    whose = address if seen is None else f"Contact {stage.name(seen.id)}"
    words = f"a file says {event} of {use.purpose}/{use.channel} for {whose}"
    if event == "GRANT":
        assert seen is not None
        scoped = address if POINT_OF.get(use.channel, EMAIL) == EMAIL else phone
        yes = Yes(
            use=plain(use),
            at=happened_at,
            address=scoped if use.channel in SCOPED else None,
            contacts=_family(stage, seen.id),
            lasts=OLDEST,
        )
        stage.oracle.says_yes(yes, direct=False, proof=True)
        return words
    wide_no = event == "OBJECT" and use.purpose in MARKETING
    no = No(
        words=words,
        told_at=happened_at,
        purpose=ANY if wide_no else use.purpose,
        channel=ANY if wide_no else use.channel,
    )
    if seen is not None:
        for contact_id in _family(stage, seen.id):
            stage.oracle.tells(contact_id, no)
    else:
        # Whoever that is: it is known by this address and nothing else.
        nobody = f"{NOBODY}{wide('EMAIL', address)[1]}"
        stage.oracle.points.setdefault(nobody, set()).add(wide("EMAIL", address))
        stage.oracle.tells(nobody, no)
    return words


def _family(stage: Stage, contact_id: str) -> set[str]:
    link = stage.link(contact_id)
    return {contact_id} if link is None else stage.contacts_of(stage.record(link.subject_id))


def unless_declined(part: Part) -> Part:
    """What the ledger declines did not happen."""

    def played(stage: Stage, act: Act) -> str | None:
        try:
            return part.play(stage, act)
        except BridgeError:
            return None

    return Part(weight=part.weight, play=played)


PARTS: Mapping[str, Part] = {
    name: unless_declined(Part(weight=weight, play=play))
    for name, weight, play in (
        ("records_a_stop", 4, records_a_stop),
        ("records_a_yes", 12, records_a_yes),
        ("establishes", 3, establishes),
        ("holds", 1, holds),
        ("confirms_a_link", 2, confirms_a_link),
        ("imports", 4, imports),
    )
}
