"""What the demo brings into the ledger (stand-in until ledger.imports)."""
import csv, io
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5
from salesforce_bridge import wiring
from salesforce_bridge.ledger.values import Deed
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.contact_points import PointType, contact_point
from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.evidence import Grade, Trust
from salesforce_bridge.permissions.keys import *
from salesforce_bridge.reconcile.facts import Link, ACTIVE
from salesforce_bridge.reconcile.intent import NewSubject, PointChange, PointMove
from salesforce_bridge.cli.demo_cast import *

def first_text(cast, *, at):
    g=[(p, ch, None) for p in (cast.permitted, cast.stops, cast.opts_out) for ch in EVERY_CHANNEL]
    g += [(p, EMAIL, None) for p in (cast.merged_into, *cast.signed_up)]
    g += [(cast.expiring, EMAIL, at + EXPIRES_AFTER)]
    return g
def late_text(cast, *, at):
    return [(cast.late, ch, None) for ch in EVERY_CHANNEL]
def bring_in(play, grants, *, apply):
    if not apply: return
    w = play.world; at = w.clock()
    keys = wiring.point_keys(play.stage.settings, controller=w.policy.controller)
    ev=[]; subs={}; links={}; pts={}
    with w.ledger.reading() as tx:
        known = tx.links_of(w.org_id, [p.contact_id for p, *_ in grants])
    def subject(p):
        if p.contact_id in known: return known[p.contact_id].subject_id
        sid = SubjectId(str(uuid5(NAMESPACE_URL, p.contact_id)))
        subs[sid]=NewSubject(subject_id=sid, jurisdiction="UNKNOWN", subject_class="CONSUMER")
        links[sid]=Link(subject_id=sid, org_id=w.org_id, contact_id=p.contact_id, state=ACTIVE)
        for t,x in ((PointType.EMAIL,p.email),(PointType.PHONE,p.mobile)):
            pts[sid,t]=PointChange(subject_id=sid, point=contact_point(t,x,keys=keys,default_country=w.policy.default_country), move=PointMove.REGISTER)
        return sid
    for p, channel, until in grants:
        sid=subject(p)
        t,x = (PointType.EMAIL,p.email) if channel=="EMAIL" else (PointType.PHONE,p.mobile)
        pt = contact_point(t,x,keys=keys,default_country=w.policy.default_country)
        ev.append(PermissionEvent(id=str(uuid5(NAMESPACE_URL, sid+channel)), subject_id=sid, controller=w.policy.controller, use=Use(purpose=PurposeKey(MARKETING),channel=Channel(channel)), kind=EventKind.GRANT, basis=LawfulBasis.CONSENT, happened_at=at-timedelta(hours=2), actor=ActorKind.IMPORT, actor_ref="demo", trust=Trust.CONTROLLER_CONTROLLED, grade=Grade.B, reason="IMPORTED", purpose_version=1, policy_version=w.policy.version, marketing=True, notice_id="consent-en-1", evidence_ref="form", effective_to=until, point=pt.exact, recorded_at=at))
    with w.ledger.begin() as tx:
        play.say(str(tx.append_deed(Deed(verb="IMPORT", by="demo", reason="IMPORTED"), at=at, policy=w.policy, events=ev, new_subjects=list(subs.values()), links=list(links.values()), points=list(pts.values()))))
