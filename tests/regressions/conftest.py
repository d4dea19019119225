"""One simulator and one session for all regression tests; each begins on the same morning."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.regressions.bridges import Bridge, Template, begun, template
from tests.support.orgs import running_simulator


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    """An org without anybody in it, and a bridge that may sign in to it."""
    with (
        running_simulator() as org,
        template(org, tmp_path_factory.mktemp("regressions")) as made,
    ):
        yield made


@pytest.fixture
def bridge(start: Template, tmp_path: Path) -> Iterator[Bridge]:
    """A bridge that has not run yet, on an org without people."""
    with begun(start, tmp_path) as made:
        yield made
