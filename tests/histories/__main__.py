"""Play many random histories, one after the other; end with the shortest one that breaks a law.

python -m tests.histories --number 1000 --seed 0
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from salesforce_bridge.reconcile.reasons import REASONS
from tests.histories.playing import LONGEST, SHORTEST, history_of, theatre


def main() -> int:
    """Play as many histories as asked for, from a seed on."""
    asked = _arguments()
    codes: Counter[str] = Counter()
    laws: Counter[str] = Counter()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, theatre(Path(folder)) as stage:
        for place, seed in enumerate(range(asked.seed, asked.seed + asked.number), start=1):
            acts = history_of(seed, shortest=asked.shortest, longest=asked.longest)
            outcome = stage.play(acts)
            codes.update(outcome.codes)
            if outcome.failure is not None:
                laws[outcome.failure.law] += 1
                print(f"seed {seed}: {outcome.failure.law}: {outcome.failure.what}", flush=True)
                if not asked.go_on:
                    shorter = stage.shortest(acts, outcome.failure, seconds=asked.shrink)
                    print(f"\nThe shortest history found, of seed {seed}:\n")
                    print(stage.play(shorter).story())
                    return 1
            if place % 25 == 0:
                took = time.monotonic() - begun
                print(f"{place} histories in {took:.0f} s, the last of seed {seed}", flush=True)
    print(f"{asked.number} histories from seed {asked.seed}: {sum(laws.values())} broke a law")
    never = sorted(set(REASONS) - codes.keys())
    print(f"{len(REASONS) - len(never)} of {len(REASONS)} reasons met; never: {', '.join(never)}")
    return 1 if laws else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.histories", description=__doc__)
    parser.add_argument("--number", type=int, default=1_000, help="how many histories")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the first; go on from any later one"
    )
    parser.add_argument("--shortest", type=int, default=SHORTEST, help="acts at least")
    parser.add_argument("--longest", type=int, default=LONGEST, help="acts at most")
    parser.add_argument("--shrink", type=float, default=120, help="seconds to find a shorter one")
    parser.add_argument("--go-on", action="store_true", help="do not end with the first failure")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
