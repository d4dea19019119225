"""Words of the policy's page that no table holds: what situations, acts and bases mean to people who know no code."""

from collections.abc import Mapping

from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import Category, ChannelLaw
from salesforce_bridge.permissions.rights import Right, Worth
from salesforce_bridge.permissions.states import Machine
from salesforce_bridge.reconcile.classes import LedgerClass
from salesforce_bridge.reconcile.findings import Extra, Situation
from salesforce_bridge.reconcile.reasons import Act, Effect

BASES: Mapping[LawfulBasis, tuple[str, str, str]] = {
    # article, what it allows, what ends it
    LawfulBasis.CONSENT: (
        "6(1)(a)",
        "what the person said yes to, on the channel and at the address they said it for",
        "the person, at any time and as easily as they gave it; its age",
    ),
    LawfulBasis.CONTRACT: (
        "6(1)(b)",
        "what the person's contract, or the offer they asked for, needs",
        "the end of the contract",
    ),
    LawfulBasis.LEGAL_OBLIGATION: (
        "6(1)(c)",
        "what a law obliges us to do; erasure is refused while the duty runs",
        "the end of the duty",
    ),
    LawfulBasis.VITAL_INTEREST: (
        "6(1)(d)",
        "what an emergency needs",
        "the end of the incident; 30 days unless it says otherwise",
    ),
    LawfulBasis.PUBLIC_TASK: (
        "6(1)(e)",
        "what a task in the public interest needs; the person may object",
        "the end of the task; an objection holds it until it is decided",
    ),
    LawfulBasis.LEGITIMATE_INTEREST: (
        "6(1)(f)",
        "what our assessed interest needs; the person may object",
        "an overdue assessment holds it, an objection holds it until it is decided, and one to marketing ends it",
    ),
    LawfulBasis.RECOGNISED_LEGITIMATE_INTEREST: (
        "UK 6(1)(ea)",
        "what an interest that UK law recognises needs; the person may object (for counsel)",
        "an objection holds it until it is decided",
    ),
}
MACHINES: Mapping[Machine, tuple[str, str]] = {
    Machine.CONSENT: (
        "Consent",
        "Only GIVEN and RENEWED permit anything.",
    ),
    Machine.OBJECTIONABLE: (
        "Legitimate interest and public task, not for direct marketing",
        "Only IN_FORCE permits anything. An objection holds the use at once (CHALLENGED) until somebody decides it.",
    ),
    Machine.OBJECTIONABLE_MARKETING: (
        "Legitimate interest and public task, for direct marketing",
        "An objection to marketing is absolute: nothing is weighed, and nobody can override it.",
    ),
    Machine.PLAIN: (
        "Contract and vital interests",
        "A person ends the contract rather than objecting; a stop of marketing is recorded beside it.",
    ),
    Machine.OBLIGATION: (
        "Legal obligation",
        "As above, and erasure is refused while the duty runs.",
    ),
}
RIGHTS_WORDS: Mapping[Right, str] = {
    Right.WITHDRAW: "withdraw",
    Right.OBJECT_GROUNDS: "object on own grounds",
    Right.OBJECT_MARKETING: "object to direct marketing",
    Right.ERASE: "be forgotten",
    Right.PORTABILITY: "take a copy along",
    Right.RESTRICT: "restrict the use",
    Right.ACCESS: "know what is held",
    Right.RECTIFY: "have it put right",
    Right.TELL_RECIPIENTS: "have recipients told",
    Right.NO_AUTOMATED_DECISION: "not be decided about by a machine alone",
}
WORTHS: Mapping[Worth, str] = {
    Worth.AUTOMATIC: "**at once**",
    Worth.HOLD_AND_DECIDE: "held at once, then decided",
    Worth.CASE: "a case, with a due date",
    Worth.BY_LAW: "as the law says",
    Worth.REFUSED: "no",
}
CLASSES: Mapping[LedgerClass, str] = {
    LedgerClass.L0: "a person we had not met",
    LedgerClass.L1: "no answer yet",
    LedgerClass.L2: "a valid consent",
    LedgerClass.L3A: "a basis in force that the person may object to",
    LedgerClass.L3B: "another basis in force",
    LedgerClass.L4: "stopped by the person",
    LedgerClass.L5: "lapsed",
    LedgerClass.L6: "objection open, restricted, or held",
    LedgerClass.L7: "erased",
}
CATEGORIES: Mapping[Category, str] = {
    Category.MARKETING: "offers and news",
    Category.SERVICE: "what a contract needs",
    Category.CORRESPONDENCE: "letters from person to person, surveys",
    Category.LEGAL_NOTICE: "what the law obliges us to say",
    Category.CLAIMS: "legal claims",
    Category.VITAL: "danger to life",
}
CHANNEL_LAW: Mapping[ChannelLaw, str] = {
    ChannelLaw.PRIOR_CONSENT: "a consent first",
    ChannelLaw.SOFT_OPT_IN: "a consent, or a sale with all its facts",
    ChannelLaw.OPT_OUT: "any basis in force, until they object",
    ChannelLaw.NONE: "no rule of its own",
}
SITUATIONS: Mapping[Situation, str] = {
    Situation.S01_UNCHANGED: "Nothing changed on either side.",
    Situation.S02_OWN_ECHO: "Salesforce shows what the bridge wrote itself.",
    Situation.S03_LEDGER_AHEAD: "The ledger learned something that Salesforce does not show yet.",
    Situation.S04_CRM_STOP: "Somebody recorded a stop in Salesforce, or narrowed what is permitted in any way.",
    Situation.S05_CRM_GRANT_VERIFIED_LATER: "Somebody recorded a yes whose proof a machine could check, and it is later than all we know.",
    Situation.S06_CRM_GRANT_VERIFIED_EARLIER: "The same, but the proof is older than the last thing we know.",
    Situation.S07_CRM_GRANT_ATTESTED: "Somebody recorded a yes with a reference that no machine can check.",
    Situation.S08_CRM_GRANT_BARE: "Somebody recorded a yes without any proof.",
    Situation.S09_CRM_GRANT_IMPLAUSIBLE_TIME: "Somebody recorded a yes for a moment at which it cannot have been said.",
    Situation.S10_CRM_BLANKED: "Somebody emptied a permission or set it back to Not asked.",
    Situation.S11_CRM_METADATA_EDIT: "Somebody changed a protected field without permitting or stopping anything.",
    Situation.S12_FLAG_SET: "A standard opt-out box is ticked, and nothing we know explains it.",
    Situation.S13_FLAG_CLEARED: "A standard opt-out box was unticked.",
    Situation.S14_INDIVIDUAL_RIGHTS_FLAG: "The Individual of a Contact says: forget me, do not use my data, no marketing, no profiling or tracking.",
    Situation.S15_CONTACT_NEW: "A Contact that was never seen before, also one that a Lead became.",
    Situation.S16_CONTACT_DELETED: "A Contact was deleted.",
    Situation.S17_CONTACT_PURGED: "A Contact is gone for good: Salesforce does not find it any more.",
    Situation.S18_CONTACT_UNDELETED: "A deleted Contact came back.",
    Situation.S19_CONTACT_MERGED: "Two Contacts were merged.",
    Situation.S20_DUPLICATE_CONTACT_POINT: "Two Contacts have the same address or number.",
    Situation.S21_CONTACT_POINT_CHANGED: "The address or number of a Contact changed.",
    Situation.S22_PERM_DELETED: "A permission row was deleted.",
    Situation.S23_PERM_UNDELETED_OR_DOUBLED: "Two permission rows stand for the same purpose and channel.",
    Situation.S24_PERM_REPARENTED: "A permission row was moved to another Contact.",
    Situation.S25_PERM_UNMAPPABLE: "A permission row names a purpose, channel or value that the policy does not know.",
    Situation.S26_MASS_CHANGE: "Somebody, or a loader, permits or empties unusually many permissions at once.",
    Situation.S27_EXPIRY_DUE: "A permission, a question, a contract or an assessment has run out.",
    Situation.S28_RENEWAL_WINDOW: "A permission will run out soon.",
    Situation.S29_PURPOSE_RETIRED: "A new policy retired the purpose.",
    Situation.S30_NOTICE_MATERIAL_CHANGE: "A new policy has a notice that says something materially different.",
    Situation.S31_NOTICE_MINOR_CHANGE: "A new policy has a notice that was only reworded.",
    Situation.S32_BASIS_REASSIGNED: "A new policy gives the purpose another lawful basis.",
    Situation.S33_JURISDICTION_CHANGED: "The person lives in another country now.",
    Situation.S34_WRITE_REJECTED: "Salesforce refused what the bridge wrote.",
}
ACTS: Mapping[Act, str] = {
    Act.NOTHING: "notes it; what it holds stays",
    Act.STOP: "records the stop with the person's own authority",
    Act.STOP_CHANNEL: "records a stop of all marketing on the channel",
    Act.CORROBORATE: "notes that the stop was told again",
    Act.QUARANTINE: "keeps the claim aside for somebody to judge; it permits nothing",
    Act.LINK: "links the Contact to its person",
    Act.LINK_AS_CANDIDATE: "links the Contact as perhaps the same person; somebody has to confirm it",
    Act.CLOSE_LINK: "closes the link; what it holds about the person stays",
    Act.JOIN: "joins the two people; per use the stricter answer holds",
    Act.PROPAGATE_STOP: "records the stop for everybody who has that address or number",
    Act.REKEY: "notes the new address or number and retires the old one",
    Act.END_GRANT_OF_OLD_POINT: "ends the permission, which was for the old address",
    Act.EXPIRE: "ends it, on the clock's account",
    Act.HOLD: "suspends it until somebody has looked",
    Act.HALT: "records nothing; the bridge stops writing until somebody has looked",
    Act.GRANT: "records the yes with its proof",
    Act.RENEW: "records that the yes was given once more",
    Act.OPEN_RIGHTS_CASE: "opens a case with a due date, and stops or restricts at once",
    Act.REVOKE_BY_POLICY: "ends it, on the policy's account",
    Act.CLOSE_REQUEST: "closes the open question",
    Act.CARRY_TO_SUCCESSOR: "carries the stop on to the purpose that follows",
    Act.LINK_NOTICE: "notes the newer notice; the proof keeps the old one",
    Act.REAFFIRM: "sets a day until which the person has to say yes once more",
    Act.PROMPT: "notes that the person should be asked again",
    Act.MOVE: "lets the stricter of the old and the new country's rules hold",
    Act.PARK: "leaves the edit unread until somebody has looked at the mass change",
    Act.CLOSE_LINK_PURGED: "closes the link for good; what it holds about the person stays",
    Act.CONFIRM_ERASURE: "notes that the record of the erased person is gone",
    Act.REAFFIRM_SUPPRESSION: "refreshes the suppression of the address, and remembers nobody",
    Act.TIME_OUT: "closes a claim that nobody has judged in time; it permits nothing",
    Act.REMIND: "notes that somebody was told about the due date of a case",
}
EFFECTS: Mapping[Effect, str] = {
    Effect.KEEP: "as before",
    Effect.DENY: "not permitted: Stopped, Lapsed or Not asked",
    Effect.HOLD: "Limited, until somebody has looked",
    Effect.RAISE: "Permitted, if every gate is passed",
}
EXTRAS: Mapping[Extra, str] = {
    Extra.PORTABILITY_ASKED: "The Individual of a Contact says that the person wants a copy of their records.",
    Extra.CLAIM_TIMED_OUT: "A claim waited in quarantine until nobody could judge it in time.",
    Extra.CASE_DUE_SOON: "The answer to a request of a person is due soon.",
    Extra.CASE_OVERDUE: "The answer to a request of a person is overdue.",
}
