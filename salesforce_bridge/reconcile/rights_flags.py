"""Rights that a person claims through the privacy record of a Contact, an Individual with flags."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from salesforce_bridge.permissions.bundle import Involvement, Policy
from salesforce_bridge.permissions.keys import Use
from salesforce_bridge.permissions.stops import EVERYTHING
from salesforce_bridge.reconcile.classes import is_marketing
from salesforce_bridge.reconcile.facts import ContactSnapshot, Individual, SubjectRecord
from salesforce_bridge.reconcile.findings import Extra, Finding, Situation

WANTS_A_COPY = "wants_a_copy"


def rights_situations(
    here: Finding,
    agreed: ContactSnapshot | None,
    seen: ContactSnapshot,
    *,
    record: SubjectRecord,
    uses: tuple[Use, ...],
    policy: Policy,
) -> Iterator[Finding]:
    """Name the rights that were claimed since both sides last agreed, for the uses they are about.

    A right that is about none of `uses` is about everything, so that no claim of a right is lost.
    """
    here = replace(here, stamp=_claimed_at(seen))
    asked = rights_asked(agreed, seen)
    if not asked:
        return
    about: dict[Use, list[str]] = defaultdict(list)
    for right in asked:
        covers = _COVERS.get(right)
        if covers is None:
            continue
        for use in tuple(use for use in uses if covers(record, use, policy)) or (EVERYTHING,):
            about[use].append(right)
    for use, rights in about.items():
        yield replace(
            here,
            situation=Situation.S14_INDIVIDUAL_RIGHTS_FLAG,
            use=use,
            rights=tuple(rights),
            individual=rights[0],
            observed=dict.fromkeys(rights, (False, True)),
        )
    if WANTS_A_COPY in asked:
        yield replace(
            here,
            situation=Extra.PORTABILITY_ASKED,
            use=EVERYTHING,
            rights=(WANTS_A_COPY,),
            individual=WANTS_A_COPY,
            observed={WANTS_A_COPY: (False, True)},
        )


def rights_asked(agreed: ContactSnapshot | None, seen: ContactSnapshot) -> tuple[str, ...]:
    """List the flags that were not set before, or not on this Individual; the heaviest first."""
    now = seen.individual
    if now is None:
        return ()
    was = agreed.individual if agreed is not None else None
    if was is None or was.individual_id != now.individual_id:
        was = Individual(individual_id=now.individual_id)
    rights = (*_COVERS, WANTS_A_COPY)
    return tuple(each for each in rights if getattr(now, each) and not getattr(was, each))


def _claimed_at(seen: ContactSnapshot) -> datetime:
    """Say when a right was claimed at the latest: a flag changes on the Individual, or comes with another one
    on the Contact, and no yes from before that may pass it."""
    modstamp = seen.individual.modstamp if seen.individual is not None else None
    return seen.modstamp if modstamp is None else max(seen.modstamp, modstamp)


def _everything(record: SubjectRecord, use: Use, policy: Policy) -> bool:
    del record, use, policy
    return True


def _marketing(record: SubjectRecord, use: Use, policy: Policy) -> bool:
    return is_marketing(record, use, policy=policy)


def _involving(what: Involvement) -> Callable[[SubjectRecord, Use, Policy], bool]:
    def covers(record: SubjectRecord, use: Use, policy: Policy) -> bool:
        _ = record
        purpose = policy.purposes.get(use.purpose)
        return purpose is not None and what in purpose.involves

    return covers


# The heaviest first.
_COVERS: Mapping[str, Callable[[SubjectRecord, Use, Policy], bool]] = {
    "should_forget": _everything,
    "opted_out_processing": _everything,
    "opted_out_solicit": _marketing,
    "opted_out_profiling": _involving(Involvement.PROFILING),
    "opted_out_tracking": _involving(Involvement.TRACKING),
    "opted_out_geo_tracking": _involving(Involvement.GEOLOCATION),
}
