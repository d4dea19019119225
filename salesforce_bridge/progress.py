"""How far both sides are known: the bookmark, and the backfill that it moves through page by page."""

from collections.abc import Iterator
from datetime import datetime

from salesforce_bridge.ledger.values import Backfill, Bookmark
from salesforce_bridge.permissions.keys import ContactId
from salesforce_bridge.reading import Batch, World, is_narrow
from salesforce_bridge.reconcile.intent import Target
from salesforce_bridge.salesforce.gateway import Poll


def next_chunk(world: World, mark: Bookmark | None) -> tuple[Batch, ...]:
    """Read the next page of a backfill, if one runs: at first contact, and after every change of policy."""
    backfill, after = _backfill(world, mark)
    if backfill is not Backfill.RUNNING:
        return ()
    return (_page_after(world, after),)


def chunks_left(world: World, mark: Bookmark | None) -> Iterator[Batch]:
    """Read all pages that are left of a backfill, one after the other."""
    backfill, after = _backfill(world, mark)
    while backfill is Backfill.RUNNING:
        batch = _page_after(world, after)
        yield batch
        if batch.last:
            return
        after = batch.page[-1].contact_id


def _page_after(world: World, after: ContactId | None) -> Batch:
    aside = len(world.aside)
    page = world.gateway.contacts_after(after, limit=world.chunk)
    met = len(page) + len(world.aside) - aside
    return Batch(page=page, last=met < world.chunk)


def _backfill(world: World, mark: Bookmark | None) -> tuple[Backfill, ContactId | None]:
    if mark is None or mark.policy_digest != world.reads_by:
        return Backfill.RUNNING, None
    return mark.backfill, mark.backfill_after


def moved_bookmark(
    world: World,
    mark: Bookmark | None,
    poll: Poll,
    chunk: tuple[Batch, ...],
    *,
    revision: int,
    narrow: bool,
) -> Bookmark:
    """Say how far both sides are known now."""
    backfill, after = _backfill(world, mark)
    for batch in chunk:
        backfill = Backfill.COMPLETE if batch.last else Backfill.RUNNING
        after = batch.page[-1].contact_id if batch.page else after
    stays = mark if is_narrow(world, mark, narrow=narrow) else None
    return Bookmark(
        org_id=world.org_id,
        contacts_since=stays.contacts_since if stays else _read_up_to(world, poll, Target.CONTACT),
        rows_since=stays.rows_since if stays else _read_up_to(world, poll, Target.ROW),
        revision=revision,
        clock=poll.server_time,
        policy_digest=world.reads_by,
        backfill=backfill,
        backfill_after=after,
    )


def _read_up_to(world: World, poll: Poll, target: Target) -> datetime:
    streams = (
        ((poll.contacts, poll.contacts_complete), (poll.individuals, poll.individuals_complete))
        if target is Target.CONTACT
        else ((poll.rows, poll.rows_complete),)
    )
    # The next poll goes on exactly where this one ended: with an overlap a mass change that is larger than
    # a poll would be read from its beginning for ever.
    ends = (stamps[-1].modstamp + world.overlap for stamps, complete in streams if not complete)
    return min(ends, default=poll.server_time)


def got_on(before: Bookmark, after: Bookmark, poll: Poll) -> bool:
    """Say whether what this pass has left behind is less than what the one before has."""
    contacts_left = not (poll.contacts_complete and poll.individuals_complete)
    return (
        (before.backfill, before.backfill_after) != (after.backfill, after.backfill_after)
        or (contacts_left and before.contacts_since != after.contacts_since)
        or (not poll.rows_complete and before.rows_since != after.rows_since)
    )
