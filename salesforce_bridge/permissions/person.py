"""A person, as far as the law asks about one, and one question about the use of their data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from salesforce_bridge.permissions.bundle import Category, Policy, Purpose
from salesforce_bridge.permissions.conditions import Condition
from salesforce_bridge.permissions.contact_points import ContactPoint
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.stops import Stop
from salesforce_bridge.permissions.suppressions import Suppression


class Person(Protocol):
    """Whatever holds these facts about one person can be asked about; none is a name or an address."""

    @property
    def permissions(self) -> Mapping[Use, Permission]:
        """Every key about which anything is known."""

    @property
    def stops(self) -> tuple[Stop, ...]:
        """What the person said no to in words wider than one key."""

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The facts that a basis rests on, and those that stand in the way."""

    @property
    def suppressions(self) -> tuple[Suppression, ...]:
        """Those that match a contact point of this person, whoever they were made for."""

    @property
    def jurisdiction(self) -> str:
        """Whose law counts."""

    @property
    def former_jurisdiction(self) -> str | None:
        """Whose law counts as well, until proof meets the new one."""

    @property
    def moved_at(self) -> datetime | None:
        """Since when the jurisdiction is another."""

    @property
    def subject_class(self) -> str:
        """CONSUMER or BUSINESS."""

    @property
    def hold(self) -> str | None:
        """Why the whole person waits for somebody to look, while it does."""

    @property
    def erased(self) -> bool:
        """Whether nothing but suppressions may be left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May this person's data be used so, now: what every gate is asked."""

    person: Person
    use: Use
    permission: Permission | None
    purpose: Purpose | None  # None: the policy knows it no longer
    category: Category
    points: tuple[ContactPoint, ...]  # under every key that is still in use
    policy: Policy
    at: datetime
    stale: bool = False  # a live question, and too long since Salesforce was last looked at
