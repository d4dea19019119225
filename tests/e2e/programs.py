"""Running the real program, and seeing what of it is still there."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

PROGRAM = (str(Path(sys.executable).with_name("salesforce-bridge")),)


def without_settings(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of somebody who has no bridge yet."""
    return {
        name: value
        for name, value in variables.items()
        if not name.startswith("SALESFORCE_BRIDGE_") and name != "CREDENTIALS_DIRECTORY"
    }


def naming(path: Path) -> list[int]:
    """The programs that run with a path among their arguments."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = each.read_bytes()
        except OSError:
            continue
        if os.fsencode(path) in arguments and int(each.parent.name) != os.getpid():
            found.append(int(each.parent.name))
    return found


def gone(pid: int, *, within: float) -> bool:
    """Whether a program of ours ends in time; one that nobody waits for counts as ended."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False
