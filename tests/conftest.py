"""What holds for every test: no log line that any of them makes us write may name a person or a secret."""

import pytest
from hypothesis import settings

from tests.support.log_watch import private_in_logs

_found: list[str] = []

# The everyday run repeats itself, so that a failure is somebody's change; `make laws` searches anew each time.
settings.register_profile("everyday", derandomize=True, deadline=None)
if settings.get_current_profile_name() == "default":
    settings.load_profile("everyday")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for _, content in report.sections:
        _found.extend(f"{report.nodeid}: {each}" for each in private_in_logs(content))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for each in _found:
        terminalreporter.write_line(f"PRIVATE IN A LOG: {each}", red=True)
