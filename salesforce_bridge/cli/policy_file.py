"""A policy in a file: read, and everything wrong with it named by its line."""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from salesforce_bridge.cli.shared import tell_table
from salesforce_bridge.errors import CannotStart
from salesforce_bridge.permissions.bundle import Policy
from salesforce_bridge.permissions.policy import parse_policy
from salesforce_bridge.permissions.policy_check import ERROR, Problem, check_text


class FileNotText(CannotStart):
    """A file that should be TOML in UTF-8 is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a file holds, and what is wrong with it."""

    file: Path
    text: str
    policy: Policy | None  # None: it has errors
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What forbids its use."""
        return tuple(each for each in self.problems if each.level == ERROR)

    def document(self) -> dict[str, Any]:
        """What was found, as JSON."""
        return {
            "file": str(self.file),
            "version": self.policy.version if self.policy is not None else None,
            "digest": self.policy.digest if self.policy is not None else None,
            "errors": len(self.errors),
            "problems": [asdict(each) for each in self.problems],
        }


def read(file: Path, *, against: Policy | None, at: datetime) -> Read:
    """Read a policy, and look for everything that is wrong with it."""
    text = _text_of(file)
    problems = check_text(text, against=against, at=at)
    unfit = any(each.level == ERROR for each in problems)
    policy = None if unfit else parse_policy(text)
    return Read(file=file, text=text, policy=policy, problems=problems)


def parsed(file: Path) -> Policy:
    """Read a policy that is relied on."""
    return parse_policy(_text_of(file))


def tell(found: Read) -> None:
    """Say what is wrong, or that nothing is."""
    name = found.file.name
    if not found.problems:
        version = found.policy.version if found.policy is not None else ""
        typer.echo(f"{name}: version {version}, nothing is wrong with it.")
        return
    rows = ((f"{name}:{p.line}", p.level, p.place, p.what, p.fix) for p in found.problems)
    tell_table(("line", "", "place", "what", "what helps"), rows)


def complain_of(found: Read) -> None:
    """Say on stderr what forbids its use."""
    for each in found.errors:
        typer.echo(f"{found.file.name}:{each.line}: {each.place}: {each.what}", err=True)


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise FileNotText(
            f"{file.name} is not text in UTF-8.", hint="save it as TOML in UTF-8 and try again"
        ) from error
