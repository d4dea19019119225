"""The oracle: who said no, who proved a yes, and for which Contacts that has to show; written from the rules alone.

It knows nothing of the bridge's code. It remembers what people did, looks at the org as it is when a cycle
looks at it, and keeps three books:

- **held**: which Contact holds which no. A no belongs to the Contact it was told about, and to the one that
  took over from it; a merge carries it to the winner, once, an un-merge back to the loser; whoever holds an
  address or number that a teller holds, or once held, gets it too, for the channels that use such an
  address, and passes it on to nobody.
- **lifted**: only a yes of the person, later than the no, ends it, and only on the Contacts of that person.
- **yeses**: what was ever proven to the ledger, for whom, and for which address.

Where the rules leave room, the oracle asks for less, never for more.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

Use = tuple[str, str]  # purpose, channel
Point = tuple[str, str]  # EMAIL or PHONE, and its wide form

ANY = "*"
NOBODY = "import "  # somebody of whom a file knows an address only
EMAIL, PHONE = "EMAIL", "PHONE"
POINT_OF = {"EMAIL": EMAIL, "SMS": PHONE, "LIVE_CALL": PHONE, "AUTOCALL": PHONE}
FLAGS = {
    "HasOptedOutOfEmail": ("EMAIL",),
    "HasOptedOutOfFax": ("FAX",),
    "DoNotCall": ("LIVE_CALL", "AUTOCALL"),
}
SCOPED = frozenset({"EMAIL", "LIVE_CALL"})  # a yes holds for one address
OLDEST = timedelta(days=730)  # no consent is older


def wide(kind: str, text: str) -> Point:
    """The form by which stops match: letter case and plus-tags do not count."""
    if kind == PHONE:
        return PHONE, "".join(each for each in text if each.isdigit() or each == "+")
    local, _, domain = text.strip().rpartition("@")
    return EMAIL, f"{local.lower().partition('+')[0]}@{domain.lower()}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class No:
    """One act of saying no."""

    words: str
    told_at: datetime
    purpose: str = ANY  # ANY: all marketing
    channel: str = ANY
    everything: bool = False  # not only marketing
    points: frozenset[Point] | None = None  # the only addresses it reaches others by, where not all

    def covers(self, use: Use, marketing: frozenset[str]) -> bool:
        """Whether a use is within its words."""
        wide = self.purpose == ANY and (self.everything or use[0] in marketing)
        return (wide or self.purpose == use[0]) and self.channel in (ANY, use[1])


@dataclass(slots=True, kw_only=True, eq=False)
class Held:
    """A no on one Contact."""

    no: No
    kind: str | None = None  # of the shared address it came with; None: it is this person's own
    lifted: set[Use] = field(default_factory=set)

    def stands_over(self, use: Use, law: "Law") -> bool:
        """Whether the Contact must not be used so because of it."""
        by_address = self.kind is None or POINT_OF.get(use[1]) == self.kind
        covered = self.no.covers(use, law.marketing)
        return covered and by_address and use not in self.lifted


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """What the oracle has to know of the policy."""

    marketing: frozenset[str]
    uses: tuple[Use, ...]


@dataclass(slots=True, kw_only=True, eq=False)
class Yes:
    """A yes, or another basis, that was proven to the ledger."""

    use: Use
    at: datetime
    address: str | None  # as typed; None where it is for no address
    contacts: set[str]
    lasts: timedelta | None  # None: as long as its conditions
    consent: bool = True  # anything else follows whoever has the same address


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighted:
    """A Contact as the org has it when a cycle looks."""

    id: str
    deleted: bool
    master: str | None
    email: str | None
    phones: tuple[str, ...]
    flags: frozenset[str]
    individual: str | None
    wishes: frozenset[str]  # the flags of its Individual

    @property
    def points(self) -> frozenset[Point]:
        """Its addresses, in the form by which stops match."""
        found = {wide(PHONE, each) for each in self.phones}
        return frozenset(found | ({wide(EMAIL, self.email)} if self.email else set()))


@dataclass(slots=True, kw_only=True, eq=False)
class Oracle:
    """What must hold, whatever happens."""

    held: dict[str, list[Held]] = field(default_factory=dict)
    points: dict[str, set[Point]] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    direct: dict[tuple[str, Use], datetime] = field(default_factory=dict)
    proven_at: dict[tuple[str, Use], datetime] = field(default_factory=dict)
    yeses: list[Yes] = field(default_factory=list)
    restricted: dict[str, set[str]] = field(default_factory=dict)  # Contact: why
    erased: set[str] = field(default_factory=set)
    anew: set[str] = field(default_factory=set)  # erased, and somebody new since

    given_up: list[tuple[str, Held]] = field(default_factory=list)  # noes to what was given up
    unsure: bool = False  # a cycle broke off, and nobody can say what the ledger knows since
    # What was taken back meanwhile: the ledger may have known by then who was merged and who had parted.
    ahead: dict[tuple[str, Use], datetime] = field(default_factory=dict)

    # what people do

    def tells(self, contact_id: str, no: No) -> None:
        """Somebody said no about a Contact, and the ledger can know of it; who was merged away lives on."""
        winner = None if self.unsure else self.merged.get(contact_id)
        for each in (contact_id,) if winner is None else (contact_id, winner):
            self._hears(each, no)

    def _hears(self, contact_id: str, no: No) -> None:
        held = Held(no=no, lifted=self._overruled(contact_id, no))
        self.held.setdefault(contact_id, []).append(held)

    def says_yes(self, yes: Yes, *, direct: bool, proof: bool = False) -> None:
        """A yes was proven; if it was the person's own act, it ends every no before it.

        A `proof` of such an act is looked at by two people where a no stands. But a no of somebody else that
        comes with an address only later does not pass it (P6).
        """
        self.yeses.append(yes)
        if direct:
            self.lifts(yes.contacts, yes.use, yes.at)
        for contact_id in yes.contacts if proof else ():
            known = self.proven_at.get((contact_id, yes.use), yes.at)
            self.proven_at[contact_id, yes.use] = max(known, yes.at)

    def lifts(self, contacts: Iterable[str], use: Use, at: datetime) -> None:
        """The person took a no back, for one use."""
        for contact_id in contacts:
            known = self.direct.get((contact_id, use), at)
            self.direct[contact_id, use] = max(known, at)
            if self.unsure:
                self.ahead[contact_id, use] = max(known, at)
            for held in self.held.get(contact_id, ()):
                if held.no.told_at < at:
                    held.lifted.add(use)

    def forgives(self, contacts: Iterable[str], uses: Iterable[Use]) -> None:
        """Two people proved that the stops of somebody on these uses were errors."""
        for contact_id in contacts:
            for held in self.held.get(contact_id, ()):
                held.lifted |= set(uses)

    def forgives_file(self, contacts: Iterable[str], uses: Iterable[Use]) -> None:
        """What a file said of an address was an error, and whose address it was is known."""
        points = {point for each in contacts for point in self.points.get(each, ())}
        nobodies = {each for each in self.held if each.startswith(NOBODY)}
        self.forgives({each for each in nobodies if points & self.points[each]}, uses)

    def gives_up(self, purpose: str) -> None:
        """A purpose is given up; whoever said no to it will be judged by that."""
        self.given_up += [
            (contact_id, held)
            for contact_id, held_by in self.held.items()
            for held in held_by
            if held.no.purpose == purpose
        ]

    def goes_on(self, successor: str, channel: str) -> None:
        """Everybody is judged by what was given up: who still says no to it says no to what follows it."""
        for contact_id, held in self.given_up:
            if not held.lifted:
                no = replace(held.no, purpose=successor, channel=channel)
                lifted = self._overruled(contact_id, no)
                self.held[contact_id].append(Held(no=no, kind=held.kind, lifted=lifted))
        self.given_up.clear()

    def erases(self, contacts: Iterable[str], at: datetime) -> None:
        """Somebody was forgotten: only the no stays, on every address they had."""
        for contact_id in set(contacts):
            self.erased.add(contact_id)
            points = frozenset(self.points.get(contact_id, ()))
            no = No(words="was erased", told_at=at, everything=True, points=points)
            self._hears(contact_id, no)

    def begins_anew(self, contacts: Iterable[str]) -> None:
        """Somebody who was erased said yes: a new person, of whom nothing is known (5.3).

        All that is left of who they were is the silence of their addresses, without a link to anybody.
        """
        for contact_id in set(contacts) & self.erased:
            self.erased.discard(contact_id)
            self.anew.add(contact_id)
            held = self.held.get(contact_id, ())
            self.held[contact_id] = [each for each in held if each.no.points is not None]

    # what a cycle looks at

    def looks(self, org: Mapping[str, Sighted], law: Law) -> None:
        """Take in who is who now and who shares what, as a cycle does that has just looked."""
        self.sees_who_is_who(org)
        for contact_id, seen in org.items():
            if not seen.deleted:
                self._share(contact_id, seen, law)
        self.ahead.clear()

    def sees_who_is_who(self, org: Mapping[str, Sighted]) -> None:
        """Take in who is who now: whatever is told by what the cycle sees is told about that."""
        for contact_id, seen in org.items():
            if not seen.deleted and contact_id not in self.erased:
                self.points.setdefault(contact_id, set()).update(seen.points)
        known = dict(self.merged)
        for contact_id, seen in org.items():
            winner, before = _winner(seen, org), known.get(contact_id)
            if winner is not None and winner != before:
                self.merged[contact_id] = winner
                # The one that took over is merged on, or parted again, with all that was carried there,
                # and with what was taken back there: two people may end a no that was an error (1.5).
                merged_on = (
                    before is not None and before in org and _winner(org[before], org) == winner
                )
                if not (merged_on or (before is not None and known.get(winner) == before)):
                    self._carry(contact_id, winner)
            elif not seen.deleted and contact_id in self.merged:
                self._carry(self.merged.pop(contact_id), contact_id, back=True)

    def _carry(self, one: str, other: str, *, back: bool = False) -> None:
        mine = self.held.setdefault(other, [])
        for held in self.held.get(one, ()):
            if back and one in self.anew and held.no.points is not None:
                continue  # they parted from the person who was erased, not from this one
            passed = {
                use
                for (whose, use), at in self.ahead.items()
                if whose == other and at > held.no.told_at
            }
            mine.append(Held(no=held.no, kind=held.kind, lifted=held.lifted | passed))
        self.restricted.setdefault(other, set()).update(
            () if back else self.restricted.get(one, ())
        )
        if not back:
            for yes in self.yeses:
                if one in yes.contacts:
                    yes.contacts.add(other)

    def _share(self, contact_id: str, seen: Sighted, law: Law) -> None:
        known = {(held.no, held.kind) for held in self.held.get(contact_id, ())}
        for no, kind, lifted in tuple(self._shared_with(contact_id, seen, law)):
            if (no, kind) in known or (no, None) in known:
                continue
            known.add((no, kind))
            passed = lifted | self._overruled(contact_id, no) | self._outdated(contact_id, no)
            self.held.setdefault(contact_id, []).append(Held(no=no, kind=kind, lifted=passed))

    def _shared_with(
        self, contact_id: str, seen: Sighted, law: Law
    ) -> Iterator[tuple[No, str, set[Use]]]:
        """The noes of others who hold, or once held, an address of this Contact."""
        for other, held_by in self.held.items():
            if other == contact_id:
                continue
            for held in held_by:
                if held.kind is not None or not (held.no.everything or _is_marketing(held.no, law)):
                    continue
                theirs = held.no.points
                shared = seen.points & (self.points.get(other, set()) if theirs is None else theirs)
                for kind in sorted({each[0] for each in shared}):
                    yield held.no, kind, set(held.lifted)

    def _apart(self, seen: Sighted, contacts: Iterable[str]) -> bool:
        return all(self.points.get(each, set()).isdisjoint(seen.points) for each in contacts)

    def _overruled(self, contact_id: str, no: No) -> set[Use]:
        said = self.direct.items()
        return {use for (whose, use), at in said if whose == contact_id and at > no.told_at}

    def _outdated(self, contact_id: str, no: No) -> set[Use]:
        said = self.proven_at.items()
        return {use for (whose, use), at in said if whose == contact_id and at > no.told_at}

    # what must hold

    def stopped(self, contact_id: str, use: Use, law: Law) -> No | None:
        """The no that stands over a use of a Contact, if there is one."""
        for held in self.held.get(contact_id, ()):
            if held.stands_over(use, law):
                return held.no
        return None

    def proven(self, seen: Sighted, use: Use, at: datetime) -> bool:
        """Whether a yes for such a use was ever proven for this Contact and its address of today."""
        addresses = {seen.email} if use[1] == "EMAIL" else set(seen.phones)
        return any(
            yes.use == use
            and (seen.id in yes.contacts or not (yes.consent or self._apart(seen, yes.contacts)))
            and (yes.address is None or use[1] not in SCOPED or _is_one(yes.address, addresses))
            and (yes.lasts is None or at < yes.at + yes.lasts)
            for yes in self.yeses
        )


def _winner(seen: Sighted, org: Mapping[str, Sighted]) -> str | None:
    """Follow merges to the Contact that took over."""
    found, passed = seen, {seen.id}
    while found.deleted and found.master is not None and found.master not in passed:
        if found.master not in org:
            break
        found = org[found.master]
        passed.add(found.id)
    return found.id if found is not seen else None


def _is_marketing(no: No, law: Law) -> bool:
    return no.purpose == ANY or no.purpose in law.marketing


def _is_one(address: str, others: Iterable[str | None]) -> bool:
    return any(other is not None and _exact(address) == _exact(other) for other in others)


def _exact(address: str) -> str:
    local, at_sign, domain = address.strip().rpartition("@")
    return f"{local}@{domain.lower()}" if at_sign else "".join(address.split())
