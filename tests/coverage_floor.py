"""Refuse a coverage report that is below what this project promises.

Run by `make test` after the tests: `python tests/coverage_floor.py build/coverage.json`.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# Whoever changes these decides about people's permissions, so every line and branch is tried.
COMPLETE = (
    "salesforce_bridge/permissions/",
    "salesforce_bridge/reconcile/",
    "salesforce_bridge/audit/",
    "salesforce_bridge/cycle.py",
)
# Lines and branches that no test tries yet, by file: a debt that is named, and may only shrink.
OWED: Mapping[str, int] = {}
OVERALL_PERCENT_MIN = 90.0

Report = Mapping[str, Any]


def main(path: Path) -> int:
    """Print every shortfall and return 1, or print the figure and return 0."""
    report = json.loads(path.read_text(encoding="utf-8"))
    shortfalls = tuple(shortfalls_of(report))
    for shortfall in shortfalls:
        print(f"coverage too low: {shortfall}", file=sys.stderr)
    if shortfalls:
        return 1
    named = sum(OWED.values())
    percent = report["totals"]["percent_covered"]
    print(f"coverage: {percent:.1f} %, complete where it must be but for {named} named gaps")
    return 0


def shortfalls_of(report: Report) -> Iterator[str]:
    """Say in words what the report lacks, file by file."""
    if not report["meta"]["branch_coverage"]:
        yield "branches were not measured"
        return
    files = {name.replace("\\", "/"): measured for name, measured in report["files"].items()}
    for promised in COMPLETE:
        below = sorted(name for name in files if name.startswith(promised))
        if not below:
            yield f"{promised} was not measured at all"
        for name in below:
            if _owed(files[name]) > OWED.get(name, 0):
                yield from _gaps_in(name, files[name])
    overall = report["totals"]["percent_covered"]
    if overall < OVERALL_PERCENT_MIN:
        yield f"{overall:.1f} % overall, {OVERALL_PERCENT_MIN:.0f} % are promised"


def _gaps_in(name: str, measured: Report) -> Iterator[str]:
    lines = measured["missing_lines"]
    if lines:
        yield f"{name}: lines never run: {_ranges(lines)}"
    # A branch that starts on a line never run would only say the same thing twice.
    branches = [pair for pair in measured["missing_branches"] if pair[0] not in lines]
    if branches:
        taken = ", ".join(f"{source}->{target}" for source, target in branches)
        yield f"{name}: branches never taken: {taken}"


def _owed(measured: Report) -> int:
    lines = measured["missing_lines"]
    branches = [pair for pair in measured["missing_branches"] if pair[0] not in lines]
    return len(lines) + len(branches)


def _ranges(lines: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], line]
        else:
            runs.append([line])
    return ", ".join("-".join(map(str, run)) for run in runs)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
