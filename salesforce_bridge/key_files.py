"""Files that the settings name: read whole, and keys line by line, with the fault and its line told."""

import re
from pathlib import Path

from salesforce_bridge.errors import CannotStart
from salesforce_bridge.permissions.contact_points import PointKeys
from salesforce_bridge.permissions.keys import ControllerKey


class FileUnreadable(CannotStart):
    """A file that the settings name is missing, or this user may not read it."""


class KeysRefused(CannotStart):
    """A file of keys is not what it should be."""


def read_point_keys(path: Path, *, controller: ControllerKey) -> PointKeys:
    """Read the keys of the fingerprints; the highest version is the current one."""
    hint = "salesforce-bridge config new-point-key FILE"
    found = _keys_in(path, _POINT_KEY, "points.key_file", "a version", hint=hint)
    if not found:
        raise KeysRefused(f"points.key_file: {path} holds no key.", hint=hint)
    keys = {int(version): key for version, key in found.items()}
    return PointKeys(current=max(keys), keys=keys, controller=controller)


def read_proof_keys(path: Path) -> dict[str, bytes]:
    """Read the keys that proofs of a permission are checked with, by kind."""
    hint = "remove that line; salesforce-bridge config new-proof-key KIND FILE writes a right one"
    return _keys_in(path, _PROOF_KEY, "points.proof_key_file", "a kind", hint=hint)


def text_of(path: Path, setting: str) -> str:
    """Read a file, or say which setting names one that cannot be read."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise FileUnreadable(
            f"{setting}: {path} cannot be read: {reason}.", hint="salesforce-bridge config check"
        ) from error


_POINT_KEY = re.compile(r"([1-9]\d{0,5})\s+([0-9a-fA-F]{64})")
_PROOF_KEY = re.compile(r"([A-Za-z0-9_-]{1,32})\s+([0-9a-fA-F]{64})")


def _keys_in(
    path: Path, line: re.Pattern[str], setting: str, name: str, *, hint: str
) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for number, text in enumerate(text_of(path, setting).splitlines(), start=1):
        written = text.strip()
        if not written or written.startswith("#"):
            continue
        match = line.fullmatch(written)
        if match is None or match[1] in found:
            problem = f"is not {name} and 64 hex digits" if match is None else f"repeats {name}"
            raise KeysRefused(f"{setting}: line {number} of {path} {problem}.", hint=hint)
        found[match[1]] = bytes.fromhex(match[2])
    return found
