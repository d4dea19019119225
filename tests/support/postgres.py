"""A PostgreSQL for tests: found on this machine, started in a folder of its own, gone when the tests are."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

_SETTINGS = "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
_TIMEOUT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server, reached by its socket only."""

    folder: Path

    def url(self, database: str) -> str:
        """The address of a database, as an operator would write it."""
        return f"postgresql://test@/{database}?host={self.folder}"

    def create(self, database: str, *, template: str = "template0") -> str:
        """Create a database, and give its address."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(database), sql.Identifier(template)
        )
        self._run(statement)
        return self.url(database)

    def drop(self, database: str) -> None:
        """Drop a database, whoever still looks at it."""
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(
            host=str(self.folder), user="test", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server, or skip where there is none to start; on a build server that is a failure."""
    programs = _programs()
    if programs is None:
        message = "no PostgreSQL here: set SB_TEST_PG_BIN, or install one"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    # The path of a socket may have 107 bytes, so the folder is not made where the others are.
    folder = Path(tempfile.mkdtemp(prefix="sbpg", dir="/tmp"))
    try:
        _own(folder)
        options = ["-A", "trust", "-U", "test", "--no-sync", "--locale=C.UTF-8", "-E", "UTF8"]
        _run([str(programs / "initdb"), "-D", str(folder / "tables"), *options])
        control = [str(programs / "pg_ctl"), "-D", str(folder / "tables"), "-w"]
        settings = f"{_SETTINGS} -c unix_socket_directories={folder}"
        _run([*control, "-l", str(folder / "log"), "-o", settings, "start"])
        try:
            yield Server(folder=folder)
        finally:
            _run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """The folder with initdb: named by the environment, on the path, of the system, or of a wheel."""
    named = os.environ.get("SB_TEST_PG_BIN")
    if named:
        return Path(named)
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    return None


def _candidates() -> Iterator[Path]:
    found = shutil.which("initdb")
    if found:
        yield Path(found).resolve().parent
    configured = shutil.which("pg_config")
    if configured:
        told = subprocess.run(
            [configured, "--bindir"], capture_output=True, text=True, check=False, timeout=_TIMEOUT
        )
        yield Path(told.stdout.strip())
    wheel = importlib.util.find_spec("pgserver")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"


def _run(arguments: Sequence[str]) -> None:
    """Run a program of the server; it refuses to be root, so root becomes somebody else first."""
    prefix: list[str] = []
    if os.geteuid() == 0:
        user = _unprivileged()
        prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    finished = subprocess.run(
        [*prefix, *arguments],
        check=False,
        timeout=_TIMEOUT,
        cwd="/",
        stdin=subprocess.DEVNULL,
        # Not a pipe: the server would keep it open for as long as it runs.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if finished.returncode != 0:
        pytest.fail(f"{arguments[0]} ended with {finished.returncode}")


def _own(folder: Path) -> None:
    if os.geteuid() == 0:
        user = _unprivileged()
        os.chown(folder, user.pw_uid, user.pw_gid)


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
