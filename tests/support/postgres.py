"""A PostgreSQL for tests: found on this machine, started in a folder of its own, gone when the tests are."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

_SETTINGS = ("listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off")
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
        self._ask(statement)
        return self.url(database)

    def drop(self, database: str) -> None:
        """Drop a database, whoever still looks at it."""
        self._ask(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def _ask(self, statement: sql.Composed) -> None:
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
    tables = str(folder / "tables")
    try:
        _own(folder)
        options = ["-A", "trust", "-U", "test", "--no-sync", "--locale=C.UTF-8", "-E", "UTF8"]
        _run([str(programs / "initdb"), "-D", tables, *options])
        settings = [*_SETTINGS, f"unix_socket_directories={folder}"]
        named = [part for setting in settings for part in ("-c", setting)]
        process = subprocess.Popen(
            [*_prefix(), str(programs / "postgres"), "-D", tables, *named],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield _answering(Server(folder=folder), process)
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(_TIMEOUT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """The folder with initdb: named by the environment, on the path, of the system, or of a wheel."""
    named = os.environ.get("SB_TEST_PG_BIN")
    if named:
        return Path(named)
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
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


def _answering(server: Server, process: "subprocess.Popen[bytes]") -> Server:
    """Wait until a server answers."""
    deadline = time.monotonic() + _TIMEOUT
    while True:
        try:
            psycopg.connect(host=str(server.folder), user="test", dbname="postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return server


def _run(arguments: Sequence[str]) -> None:
    finished = subprocess.run(
        [*_prefix(), *arguments],
        check=False,
        timeout=_TIMEOUT,
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if finished.returncode != 0:
        pytest.fail(f"{arguments[0]} ended with {finished.returncode}: {finished.stderr}")


def _prefix() -> list[str]:
    """A server refuses to be root, so root becomes somebody else; and it goes when the tests are killed."""
    if shutil.which("setpriv") is None:
        return []
    if os.geteuid() != 0:
        return ["setpriv", "--pdeathsig=QUIT"]
    user = _unprivileged()
    ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", *ids, "--pdeathsig=QUIT"]


def _own(folder: Path) -> None:
    if os.geteuid() == 0:
        user = _unprivileged()
        os.chown(folder, user.pw_uid, user.pw_gid)


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
