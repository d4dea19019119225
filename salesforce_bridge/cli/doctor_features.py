"""What the doctor says about objects that an org may lack: the bridge does without, and people should know."""

from collections.abc import Collection, Iterator, Mapping

from salesforce_bridge.cli.doctor_checks import Check, State
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.salesforce.features import Feature

# What is lost without an object, and what brings it back.
_WITHOUT: Mapping[Feature, tuple[str, str]] = {
    Feature.INDIVIDUAL: (
        "what people ask for on their privacy record is not seen",
        "switch Data Protection and Privacy on, and let the bridge's user read Individual",
    ),
    Feature.LEAD: (
        "the opt-outs of a Lead do not follow it when it is converted",
        "let the bridge's user read Lead",
    ),
    Feature.CAMPAIGN_MEMBER: (
        "nobody is added to a Campaign when their permission nears its end",
        "let the bridge's user read Campaign, and read and create CampaignMember",
    ),
}


def feature_checks(features: Collection[str], policy: Policy) -> Iterator[Check]:
    """Warn of each object that is not there or not readable; one that the policy needs is worth saying so."""
    renews = any(purpose.renewal_campaign is not None for purpose in policy.purposes.values())
    for feature, (lost, fix) in _WITHOUT.items():
        name = f"object {feature.value}"
        if feature.value in features:
            yield Check(name=name, state=State.PASS, text="there, and readable")
        elif feature is Feature.CAMPAIGN_MEMBER and not renews:
            yield Check(
                name=name, state=State.PASS, text="not there; no purpose of the policy needs it"
            )
        else:
            yield Check(name=name, state=State.WARN, text=f"not there: {lost}", fix=fix)
