"""The past of the scenarios: everything that the ledger knows of the cast on the morning on which they begin."""

from collections.abc import Mapping

from salesforce_bridge.permissions.conditions import ConditionKind, SoftOptIn
from salesforce_bridge.permissions.events import EventKind
from salesforce_bridge.permissions.rights import CaseKind
from salesforce_bridge.reconcile.classes import LedgerClass
from tests.integration.reasons.law import (
    CENSUS,
    DUTIES,
    EVERYTHING,
    NEWS,
    OFFERS,
    RESCUE,
    RESEARCH,
    SERVICE,
)
from tests.integration.reasons.scene import DAY, Scene

ROLES = {
    "neutral": LedgerClass.L1,
    "agreed": LedgerClass.L2,
    "stopped": LedgerClass.L4,
    "lapsed": LedgerClass.L5,
    "restricted": LedgerClass.L6,
    "erased": LedgerClass.L7,
}


def play_the_past(scene: Scene) -> Mapping[str, str]:
    """Let everything happen that the ledger of every scenario knows of; give the cast."""
    names = (*ROLES, "interest", "customer", "challenged")
    cast = {
        name: scene.stranger(email=f"{name}@example.org", Phone=f"+44 20 7946 01{place:02d}")
        for place, name in enumerate(names)
    }
    scene.settle()
    for name in ("agreed", "restricted", "erased"):
        scene.said(cast[name], EventKind.GRANT, ago=10 * DAY)
    scene.said(cast["stopped"], EventKind.WITHDRAW, ago=10 * DAY)
    scene.said(cast["lapsed"], EventKind.GRANT, ago=12 * DAY)
    scene.said(cast["lapsed"], EventKind.REVOKE, ago=10 * DAY)
    scene.establish(cast["interest"], RESEARCH, "told in the letter of May")
    scene.establish(cast["interest"], CENSUS, "Town Act, 4")
    scene.establish(cast["interest"], OFFERS, "told at the till")
    scene.know(cast["interest"], ConditionKind.SOFT_OPT_IN, "sale-7", soft_opt_in=_sale(scene))
    scene.establish(cast["customer"], SERVICE, "contract 17", effective_to=scene.now + 90 * DAY)
    scene.establish(cast["customer"], DUTIES, "Art. 34 GDPR")
    scene.establish(cast["customer"], RESCUE, "fire 3", effective_to=scene.now + 30 * DAY)
    scene.establish(cast["challenged"], RESEARCH, "told in the letter of May", ago=12 * DAY)
    scene.open_case(cast["challenged"], CaseKind.OBJECTION, purpose=RESEARCH.purpose)
    scene.open_case(cast["restricted"], CaseKind.RESTRICTION)
    scene.erase(cast["erased"])
    scene.settle()
    _the_cast_is_as_it_is_called(scene, cast)
    return cast


def _sale(scene: Scene) -> SoftOptIn:
    return SoftOptIn(
        sale_ref="sale-7",
        sale_date=scene.now - 20 * DAY,
        product_family="shoes",
        optout_offered_at_collection=True,
        optout_in_each_message=True,
    )


def _the_cast_is_as_it_is_called(scene: Scene, cast: Mapping[str, str]) -> None:
    for name, known in ROLES.items():
        assert scene.class_of(cast[name], NEWS) is known, name
    for name, use, known in (
        ("interest", RESEARCH, LedgerClass.L3A),
        ("interest", CENSUS, LedgerClass.L3A),
        ("interest", OFFERS, LedgerClass.L3A),
        ("customer", SERVICE, LedgerClass.L3B),
        ("customer", DUTIES, LedgerClass.L3B),
        ("customer", RESCUE, LedgerClass.L3B),
        ("challenged", RESEARCH, LedgerClass.L6),
    ):
        assert scene.class_of(cast[name], use) is known, (name, use)
    for name, use in (
        ("agreed", NEWS),
        ("interest", RESEARCH),
        ("interest", CENSUS),
        ("interest", OFFERS),
        ("customer", SERVICE),
        ("customer", DUTIES),
        ("customer", RESCUE),
    ):
        (row,) = scene.rows_shown(cast[name], use)
        shown = (row["Consent_Status__c"], row["May_Contact__c"])
        assert shown == ("Permitted", "OK"), (name, use, shown, scene.answer(cast[name], use))
    assert scene.class_of(cast["agreed"], EVERYTHING) is LedgerClass.L1
