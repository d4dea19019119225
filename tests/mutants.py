"""Says how many changes of the law the tests notice, and refuses survivors that nobody has explained.

Run by `make mutants` after mutmut. A survivor is explained by a line of `tests/mutants_alive.md`, by its
function: its mutants are numbered anew whenever the function changes.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

FLOOR = 0.90
PACKAGES = ("permissions", "reconcile")
_TREE = Path("mutants/salesforce_bridge")
_EXPLAINED = Path(__file__).with_name("mutants_alive.md")
_LINE = re.compile(r"- `(?P<function>[\w.]+)` \((?P<number>\d+)\): \S")
_NAME = re.compile(r"salesforce_bridge\.(?P<module>[\w.]+)\.x(?P<function>[^.]+)__mutmut_\d+")
_NOTICED = frozenset({1, 3, -24, 24, 36, 152, 255})  # a test failed, or never came to its end


def main() -> int:
    """Print the share of each module and every survivor that needs a look; fail below the floor."""
    killed: Counter[str] = Counter()
    alive: Counter[str] = Counter()
    survivors: Counter[str] = Counter()
    for package in PACKAGES:
        for meta in sorted((_TREE / package).glob("*.py.meta")):
            for name, code in json.loads(meta.read_text())["exit_code_by_key"].items():
                module, function = _place(name)
                if code in _NOTICED:
                    killed[module] += 1
                else:
                    alive[module] += 1
                    survivors[f"{module}.{function}"] += 1
    for module in sorted(killed | alive):
        total = killed[module] + alive[module]
        print(f"{killed[module] / total:7.1%}  {killed[module]:5} of {total:5}  {module}")
    total = killed.total() + alive.total()
    share = killed.total() / total if total else 0.0
    print(f"{share:7.1%}  {killed.total():5} of {total:5}  noticed; the floor is {FLOOR:.0%}")
    unexplained = survivors - _explained()
    for function, number in sorted(unexplained.items()):
        print(f"not explained: {number} of {survivors[function]} survivors in {function}")
    return 1 if unexplained or share < FLOOR else 0


def _place(name: str) -> tuple[str, str]:
    found = _NAME.fullmatch(name)
    assert found is not None, f"mutmut names its mutants otherwise: {name}"
    # A method is named xǁClassǁmethod, a function x_function.
    return found["module"], found["function"].removeprefix("_").replace("ǁ", ".").strip(".")


def _explained() -> Counter[str]:
    lines = map(_LINE.match, _EXPLAINED.read_text("utf-8").splitlines())
    return Counter({line["function"]: int(line["number"]) for line in lines if line})


if __name__ == "__main__":
    sys.exit(main())
