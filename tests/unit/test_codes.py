"""The codes in the text of the law: this reads the source, so it stays out of where `make mutants` changes it."""

import re
from pathlib import Path

from salesforce_bridge import permissions
from salesforce_bridge.reconcile.sentences import explained

LAW = Path(permissions.__file__).parent
ANSWERED = re.compile(r'(deny|wait)\(\s*"G\d+",\s*"(\w+)"')
REFUSED = re.compile(r'(?:refused=|return (?:\w+, )?)"([A-Z]+(?:_[A-Z0-9]+)+)"')


def test_whatever_the_law_answers_or_refuses_with_has_a_sentence() -> None:
    verdicts = {"deny": "DENY", "wait": "HOLD"}
    codes = set()
    for module in sorted(LAW.glob("*.py")):
        text = module.read_text("utf-8")
        codes |= {f"{verdicts[verdict]}_{code}" for verdict, code in ANSWERED.findall(text)}
        codes |= set(REFUSED.findall(text))
    assert len(codes) > 20
    assert sorted(code for code in codes if explained(code) is None) == []
