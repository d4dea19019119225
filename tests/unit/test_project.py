"""Promises about the project itself, kept by looking at its files."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import salesforce_bridge

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "salesforce_bridge"
LOCKS = (ROOT / "requirements/main.txt", ROOT / "requirements/dev.txt")

MODULE_LINES_MAX = 400
TYPE_IGNORES_MAX = 3
LINE_LENGTH_MAX = 100

BANNED_WORD = re.compile(
    r"(?:manager|helper|util|handler|service|processor|engine|info|item|obj)s?|process(?:es)?"
    r"|data|misc|common|base|abstract|impl|do|perform|sync"
)
# Names that others chose, so that no choice is left to us.
FORCED_NAMES = {
    "do_not_call": "the standard field DoNotCall of a Contact",
    "impl": "SQLAlchemy reads it from a type",
    "INFO": "a severity of the decision table, as operators' tools spell it",
    "load_dialect_impl": "SQLAlchemy calls it on a type",
    "obj": "Typer carries what the command line gave under this name",
    "process_bind_param": "SQLAlchemy calls it on a type",
    "process_request_thread": "socketserver calls it",
    "process_result_value": "SQLAlchemy calls it on a type",
    "proxy_manager_for": "requests calls it on an adapter",
    "SERVICE": "a category of purposes, as the law's own guidance names it",
}
CALLED_BY_HTTP_SERVER = re.compile(r"do_[A-Z]+")
# Spelled in pieces, so that this file keeps its own promises.
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.~<>}-])/(?:work|root)/")
REGISTRY_HOSTS = tuple(
    ".".join(pieces)
    for pieces in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
    )
)


# Shape


def test_no_module_is_too_long_to_read_in_one_go() -> None:
    lengths = {_name(path): len(_text(path).splitlines()) for path in _modules()}

    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES_MAX} == {}


def test_names_say_what_things_are_and_never_a_word_that_fits_anything() -> None:
    _assert_none(
        f"{_name(path)}:{line} {name}"
        for path in _modules()
        for line, name in _names_given_in(path)
        if name.lstrip("_") not in FORCED_NAMES
        and not CALLED_BY_HTTP_SERVER.fullmatch(name)
        and any(map(BANNED_WORD.fullmatch, _words(name)))
    )


def test_no_name_stays_excused_that_nobody_uses() -> None:
    used = {name for path in _modules() for _, name in _names_given_in(path)}

    assert FORCED_NAMES.keys() - used == set()


def test_every_public_class_and_function_says_in_one_line_why_it_exists() -> None:
    _assert_none(
        f"{_name(path)}:{node.lineno} {node.name}"
        for path in _modules()
        for node in _tree(path).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not _opens_with_a_sentence(ast.get_docstring(node))
    )


def test_every_module_says_what_it_is() -> None:
    _assert_none(
        _name(path)
        for path in _modules()
        if _tree(path).body and not ast.get_docstring(_tree(path))
    )


def test_the_type_checker_is_hardly_ever_overruled() -> None:
    ignores = [
        f"{_name(path)}:{number}"
        for path in _modules()
        for number, line in enumerate(_text(path).splitlines(), start=1)
        if re.search(r"#\s*type:\s*ignore", line)
    ]

    assert len(ignores) <= TYPE_IGNORES_MAX, ignores


# What strangers read


def test_nothing_is_marked_as_unfinished() -> None:
    _assert_none(_hits(lambda line: bool(UNFINISHED.search(line))))


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    _assert_none(_hits(lambda line: bool(MACHINE_PATHS.search(line))))


def test_no_file_names_a_host_of_a_package_registry() -> None:
    _assert_none(_hits(lambda line: any(host in line for host in REGISTRY_HOSTS)))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_file_pins_every_package_by_hash_and_names_no_host(lock: Path) -> None:
    text = _text(lock)
    pins = re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE)

    assert not re.search(r"https?://|file:|--(?:extra-)?index-url|--find-links", text)
    assert pins
    assert all(
        "--hash=sha256:" in stanza
        for stanza in re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:]
    )


def test_development_and_production_run_the_same_releases() -> None:
    main, dev = (set(re.findall(r"^(\S+==\S+)", _text(lock), re.MULTILINE)) for lock in LOCKS)

    assert main - dev == set()


def test_the_node_lock_names_no_host_either() -> None:
    assert '"resolved"' not in _text(ROOT / "deploy/salesforce/package-lock.json")


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_readme_names_the_two_commands_a_newcomer_needs(command: str) -> None:
    assert command in _text(ROOT / "README.md")


def test_make_describes_every_word_it_knows() -> None:
    text = _text(ROOT / "Makefile")
    words = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert words is not None
    described = set(re.findall(r"^([a-z0-9]+):.*## \S", text, re.MULTILINE))

    assert set(words[1].split()) - {"help"} == described


# What is shipped


def test_the_version_is_written_once() -> None:
    declared = _pyproject()["project"]["version"]

    assert version("salesforce-bridge") == declared
    assert getattr(salesforce_bridge, "__version__", declared) == declared
    assert f"## [{declared}]" in _text(ROOT / "CHANGELOG.md")


def test_the_wheel_is_told_of_every_settings_file_and_of_no_file_that_is_gone() -> None:
    included = _pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    settings_files = {
        _name(path) for path in _files() if path.is_relative_to(ROOT / "config") and path.is_file()
    }

    shipped = {name for name in settings_files if any(_covers(given, name) for given in included)}
    assert settings_files - shipped == set()
    assert [given for given in included if not (ROOT / given).exists()] == []


def test_the_wheel_carries_the_simulated_project_and_nothing_that_was_installed_beside_it() -> None:
    included = _pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    project = {given: there for given, there in included.items() if given.startswith("deploy/")}

    assert project == {
        f"deploy/salesforce/{part}": f"salesforce_bridge/simulator/project/{part}"
        for part in ("force-app", "sfdx-project.json")
    }


def test_every_third_party_import_of_the_package_is_declared() -> None:
    declared = {
        re.split(r"[\[<>=!~ ;]", requirement)[0].lower().replace("-", "_")
        for requirement in _pyproject()["project"]["dependencies"]
    }
    known_as = {"jwt": "pyjwt", "psycopg_binary": "psycopg"}

    assert {
        name
        for path in _modules()
        for name in _third_parties(path)
        if known_as.get(name, name) not in declared
    } == set()


# How the files are read


@cache
def _files() -> tuple[Path, ...]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    named = (ROOT / name for name in sorted(set(listing.split("\0"))) if name)
    return tuple(path for path in named if path.is_file())


def _modules() -> tuple[Path, ...]:
    return tuple(sorted(PACKAGE.rglob("*.py")))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(_text(path))


def _pyproject() -> dict[str, Any]:
    return tomllib.loads(_text(ROOT / "pyproject.toml"))


def _assert_none(found: Iterable[str]) -> None:
    lines = tuple(found)
    assert not lines, "\n".join((f"{len(lines)} found", *lines))


def _hits(wrong: Callable[[str], bool]) -> Iterator[str]:
    return (
        f"{_name(path)}:{number} {line.strip()[:80]}"
        for path in _files()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1)
        if wrong(line)
    )


def _names_given_in(path: Path) -> Iterator[tuple[int, str]]:
    yield 1, path.parent.name if path.stem == "__init__" else path.stem
    for node in ast.walk(_tree(path)):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield node.lineno, name
            case ast.AsyncFunctionDef(name=name) | ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name
            case _:
                pass


def _words(name: str) -> list[str]:
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower().split("_")


def _opens_with_a_sentence(docstring: str | None) -> bool:
    first = re.match(r".*?[.?!:](?=\s|$)", docstring or "")
    return first is not None and len(first[0]) <= LINE_LENGTH_MAX


def _covers(given: str, name: str) -> bool:
    return name == given or name.startswith(f"{given}/")


def _third_parties(path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            top = name.partition(".")[0]
            if top not in sys.stdlib_module_names and top != "salesforce_bridge":
                yield top
