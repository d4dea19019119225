"""Marks: what an event notes on a permission without moving it in law, and the mending of a stop that never was."""

from dataclasses import replace
from typing import Any

from salesforce_bridge.permissions.events import ActorKind, EventKind, PermissionEvent
from salesforce_bridge.permissions.guards import correction_refusal
from salesforce_bridge.permissions.permission import (
    Folded,
    Permission,
    first,
    latest,
    unproven,
)
from salesforce_bridge.permissions.states import STOPPED, VALID, State, initial

MARKS = frozenset(
    {
        EventKind.HOLD,
        EventKind.RELEASE,
        EventKind.CORROBORATE,
        EventKind.CORRECT,
        EventKind.NOTICED,
        EventKind.REAFFIRM,
        EventKind.PROMPT,
    }
)


def marked(permission: Permission | None, event: PermissionEvent) -> Folded:
    """Note an event of one of the kinds in `MARKS`; none of them makes anything valid."""
    match event.kind:
        case EventKind.HOLD:
            known = permission or first(event)
            return Folded(permission=_with(known, event, held=event.reason))
        case EventKind.RELEASE:
            return _released(permission, event)
        case EventKind.CORROBORATE:
            known = permission or first(event)
            told = latest(known.stopped_at, event.happened_at)
            return Folded(permission=replace(known, stopped_at=told))
        case EventKind.CORRECT:
            return _corrected(permission, event)
        case _:
            return _about_renewal(permission, event)


# A stop that can turn out never to have been said; an open challenge is one that nobody decided yet.
_CORRECTABLE = STOPPED | {State.CHALLENGED}


def _released(permission: Permission | None, event: PermissionEvent) -> Folded:
    if event.actor is ActorKind.CLOCK:
        return Folded(permission=permission, refused="CLOCK_AND_POLICY_NEVER_GRANT")
    if permission is None:
        return Folded(permission=None)
    return Folded(permission=_with(permission, event, held=None))


def _corrected(permission: Permission | None, event: PermissionEvent) -> Folded:
    """Take a stop back to where nobody has decided anything: what stood before it has to be proven anew."""
    if permission is None or permission.state not in _CORRECTABLE:
        return Folded(permission=permission, refused="NOTHING_TO_CORRECT")
    refused = correction_refusal(event, stopped_at=permission.stopped_at)
    if refused is not None:
        return Folded(permission=permission, refused=refused)
    return Folded(permission=unproven(permission, event, initial(permission.basis)))


def _about_renewal(permission: Permission | None, event: PermissionEvent) -> Folded:
    """Note a newer notice, the duty to ask anew, or a prompt; only what is valid can be renewed."""
    if permission is None:
        return Folded(permission=None)
    if event.kind is EventKind.NOTICED and permission.state is not State.ERASED:
        return Folded(permission=_with(permission, event, latest_notice=event.notice_id))
    if permission.state not in VALID:
        return Folded(permission=permission, refused="NOTHING_TO_RENEW")
    if event.kind is EventKind.PROMPT:
        boundary = latest(permission.prompted_at, event.effective_from or event.happened_at)
        return Folded(permission=_with(permission, event, prompted_at=boundary))
    return _to_be_reaffirmed(permission, event)


def _to_be_reaffirmed(permission: Permission, event: PermissionEvent) -> Folded:
    """Let a permission end unless the person says yes to the new notice; an end moves only closer."""
    end = event.effective_to
    if end is None:
        return Folded(permission=permission, refused="REAFFIRMATION_HAS_NO_END")
    if permission.reaffirm_by is not None:
        end = min(end, permission.reaffirm_by)
    notice = event.notice_id or permission.latest_notice
    return Folded(permission=_with(permission, event, latest_notice=notice, reaffirm_by=end))


def _with(permission: Permission, event: PermissionEvent, **marks: Any) -> Permission:
    """Set marks and the revision that goes with them; the same object where nothing is new."""
    if all(getattr(permission, name) == mark for name, mark in marks.items()):
        return permission
    return replace(permission, revision=max(permission.revision, event.revision), **marks)
