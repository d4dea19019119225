"""Whether the chain holds everything that its manifests say was done, and the verdicts on a whole chain."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from salesforce_bridge.audit.chain import (
    GENESIS,
    Break,
    Stored,
    Tip,
    Verdict,
    content_break,
    fields_of,
    order_break,
    tail_break,
)
from salesforce_bridge.audit.entries import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The verdicts on a chain, each with the first bad entry, if there is one."""

    entries: int
    shredded: int
    cycles: int  # with a manifest
    unfinished: tuple[int, ...]  # cycles without one: running, or ended by a crash
    content: Break | None
    order: Break | None
    completeness: Break | None

    @property
    def intact(self) -> bool:
        """Whether every verdict is good."""
        return self.content is None and self.order is None and self.completeness is None


def inspect(entries: Iterable[Stored], *, tip: Tip | None = None) -> Inspection:
    """Read a chain once, in bounded memory, and give each verdict apart; `tip` is where it should end."""
    content: Break | None = None
    order: Break | None = None
    count = shredded = 0
    last = Tip(seq=0, last_hash=GENESIS)
    ledger = Tally()
    for entry in entries:
        count += 1
        shredded += entry.shredded
        fields = fields_of(entry)
        content = content or content_break(entry, fields)
        order = order or order_break(entry, fields, after=last)
        last = Tip(seq=entry.seq, last_hash=entry.entry_hash)
        if fields is not None:
            ledger.add(entry.seq, fields)
    if order is None and tip is not None:
        order = tail_break(last, said=tip)
    return Inspection(
        entries=count,
        shredded=shredded,
        cycles=len(ledger.closed),
        unfinished=tuple(sorted(ledger.running)),
        content=content,
        order=order,
        completeness=ledger.first,
    )


@dataclass(slots=True, kw_only=True)
class _Count:
    reasons: Counter[str] = field(default_factory=Counter)
    records: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was sealed for each cycle until its manifest came by."""

    running: dict[int, _Count] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    first: Break | None = None

    def add(self, seq: int, fields: Mapping[str, object]) -> None:
        """Count one entry, and compare when it is a manifest."""
        kind, cycle = fields.get("kind"), fields.get("cycle_id")
        if not isinstance(cycle, int):
            return
        if kind == Kind.DECISION:
            self._add_decision(seq, cycle, fields)
        elif kind == Kind.MANIFEST:
            self._compare(seq, cycle, fields)

    def _add_decision(self, seq: int, cycle: int, fields: Mapping[str, object]) -> None:
        if cycle in self.closed:
            self._break(seq, f"entry {seq} adds to cycle {cycle} after its manifest")
            return
        count = self.running.get(cycle)
        if count is None:
            count = self.running[cycle] = _Count()
        count.reasons[str(fields.get("reason"))] += 1
        if fields.get("record_read") is True:
            count.records.add(str(fields.get("link_ref")))

    def _compare(self, seq: int, cycle: int, fields: Mapping[str, object]) -> None:
        count = self.running.pop(cycle, None) or _Count()
        self.closed.add(cycle)
        read, judged = fields.get("records_read"), len(count.records)
        if read != judged:
            self._break(
                seq, f"cycle {cycle} read {read} records, but decisions are sealed for {judged}"
            )
        said = fields.get("decisions")
        for reason in sorted({*count.reasons, *(said if isinstance(said, dict) else ())}):
            claimed = said.get(reason, 0) if isinstance(said, dict) else 0
            if claimed != count.reasons[reason]:
                self._break(
                    seq,
                    f"the manifest of cycle {cycle} names {claimed} decisions {reason}, "
                    f"but {count.reasons[reason]} are sealed",
                )

    def _break(self, seq: int, what: str) -> None:
        self.first = self.first or Break(verdict=Verdict.COMPLETENESS, seq=seq, what=what)
