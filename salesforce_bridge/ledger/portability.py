"""Portability: what a person provided under a consent or a contract, to take along (Art. 20)."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Any

from salesforce_bridge.audit.canonical import stamp
from salesforce_bridge.ledger import history, telling
from salesforce_bridge.ledger.picture import Picture
from salesforce_bridge.permissions.events import PermissionEvent
from salesforce_bridge.permissions.keys import PurposeKey, SubjectId
from salesforce_bridge.permissions.permission import Permission
from salesforce_bridge.permissions.policy import Policy
from salesforce_bridge.permissions.rights import portable
from salesforce_bridge.reconcile.facts import LIVE_LINKS

FORMAT = "salesforce-bridge-portability-1"
# What the person said, and what they were shown; not who of ours handled it, nor what we made of it.
_OF_PERMISSION = (
    *("state", "since", "granted_at", "effective_from", "effective_to"),
    *("capture_source", "evidence_ref", "notice_id", "condition_ref"),
)
_OF_EVENT = (
    *("kind", "happened_at", "effective_from", "effective_to"),
    *("capture_source", "evidence_ref", "notice_id", "condition_ref"),
)


def portable_copy(
    tx: Picture, subject_id: SubjectId, *, policy: Policy, at: datetime
) -> dict[str, Any]:
    """Give the copy as values that JSON knows; what rests on another basis is not part of it."""
    record = telling.person(tx, subject_id)
    told = history.events_of(tx.connection, [subject_id]).get(subject_id, ())
    carried = {use: one for use, one in record.permissions.items() if portable(one)}
    return {
        "format": FORMAT,
        "made_at": stamp(at),
        "controller": {"key": policy.controller, "name": policy.controller_name},
        "policy_version": policy.version,
        "contacts": [link.contact_id for link in record.links if link.state in LIVE_LINKS],
        "permissions": [
            {
                "purpose": use.purpose,
                "purpose_title": _title(policy, use.purpose),
                "channel": use.channel,
                "lawful_basis": permission.basis.value,
                **_told(permission, _OF_PERMISSION),
                "history": [
                    _told(event, _OF_EVENT)
                    for event in told
                    if event.use == use and event.basis is permission.basis
                ],
            }
            for use, permission in sorted(carried.items())
        ],
        "not_included": sorted(
            {
                f"{use.purpose}: rests on {one.basis.value}"
                for use, one in record.permissions.items()
                if use not in carried
            }
        ),
    }


def _title(policy: Policy, purpose: PurposeKey) -> str | None:
    known = policy.purposes.get(purpose)
    return None if known is None else known.title


def _told(what: Permission | PermissionEvent, names: Sequence[str]) -> dict[str, Any]:
    known = {each.name for each in fields(what)}
    return {
        name: _plain(value)
        for name in names
        if name in known and (value := getattr(what, name)) is not None
    }


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return stamp(value)
    return value.value if isinstance(value, Enum) else value
