"""The settings files that come with the program."""

from pathlib import Path

from salesforce_bridge.errors import CannotStart

PACKAGE = Path(__file__).resolve().parents[1]


class DefaultsMissing(CannotStart):
    """The settings that come with the program are not where they belong."""


def default_text(name: str) -> str:
    """One of the settings files that come with the program: in the wheel, or beside the checkout."""
    for folder in (PACKAGE / "defaults", PACKAGE.parent / "config"):
        if (folder / name).is_file():
            return (folder / name).read_text("utf-8")
    raise DefaultsMissing(f"{name} is not part of this installation.", hint="install it again")
