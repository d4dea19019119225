"""Channel law: what the law of a place asks before marketing goes out on a channel, beyond a lawful basis."""

from salesforce_bridge.permissions.answers import Failure, deny
from salesforce_bridge.permissions.bases import LawfulBasis
from salesforce_bridge.permissions.bundle import Category, ChannelLaw, Policy, Purpose
from salesforce_bridge.permissions.conditions import Condition, ConditionKind, concerns
from salesforce_bridge.permissions.contact_points import PointType
from salesforce_bridge.permissions.keys import Channel
from salesforce_bridge.permissions.obstacles import every_point_is_told
from salesforce_bridge.permissions.person import Question
from salesforce_bridge.permissions.profiles import law_for, profiles_of


def against_channel_law(question: Question) -> Failure | None:
    """Gate 9: ask the law of the place about marketing under a basis in force; a consent satisfies any."""
    permission, purpose = question.permission, question.purpose
    if question.category is not Category.MARKETING or permission is None or purpose is None:
        return None
    if permission.basis is LawfulBasis.CONSENT:
        return None
    law = law_for(question.policy, question.person, question.use.channel, permission)
    if law is ChannelLaw.PRIOR_CONSENT:
        return _NEEDS_CONSENT
    return None if law is ChannelLaw.NONE else _against(law, purpose, question)


def is_call(policy: Policy, channel: Channel) -> bool:
    """Tell whether a channel rings somebody's telephone: those are what the flag "do not call" closes."""
    rule = policy.channels.get(channel)
    return rule is not None and rule.flag == "DoNotCall"


_NEEDS_CONSENT = deny("G9", "CHANNEL_NEEDS_CONSENT")
_NO_SOFT_OPT_IN = deny("G9", "SOFT_OPT_IN_NOT_MET")
_NOT_SCREENED = deny("G9", "REGISTER_NOT_SCREENED")


def _against(law: ChannelLaw, purpose: Purpose, question: Question) -> Failure | None:
    """Ask for what has to be true of the person where no consent is needed."""
    person, at = question.person, question.at
    facts = [one for one in person.conditions if concerns(one, purpose.key, at=at)]
    if law is ChannelLaw.SOFT_OPT_IN and not any(_is_sale(one, purpose, question) for one in facts):
        return _NO_SOFT_OPT_IN
    if is_call(question.policy, question.use.channel) and not _was_screened(facts, question):
        return _NOT_SCREENED
    return None


def _is_sale(condition: Condition, purpose: Purpose, question: Question) -> bool:
    """Tell whether a sale is on record with all that lets a customer be told of similar products."""
    sale = condition.soft_opt_in
    return (
        condition.kind is ConditionKind.SOFT_OPT_IN
        and sale is not None
        and bool(sale.sale_ref)
        and sale.sale_date <= question.at
        and sale.product_family in purpose.product_families
        and sale.optout_offered_at_collection
        and sale.optout_in_each_message
    )


def _was_screened(facts: list[Condition], question: Question) -> bool:
    """Tell whether every register of the places whose law counts was asked about the person's numbers."""
    profiles = profiles_of(question.policy, question.person, question.permission)
    for register in {one.dnc_register for one in profiles if one.dnc_register is not None}:
        told = {
            one.point
            for one in facts
            if one.kind is ConditionKind.DNC_SCREENED and one.ref == register
        }
        if None not in told and not every_point_is_told(question.points, PointType.PHONE, told):
            return False
    return True
