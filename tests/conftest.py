"""What every test shares. Fixtures of one suite live in that suite's own conftest.

Property tests look at the same examples in every run; `--hypothesis-profile=default` lets them search for new ones.
What is tested with a `place` is tested with both databases.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from appliance.store.place import StorePlace
from tests.postgresql import TestServer

settings.register_profile("repeatable", settings.get_profile("default"), derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[TestServer]:
    server = TestServer()
    server.start()
    server.make_template()
    yield server
    server.end()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StorePlace]:
    """Where a test may have a store of its own."""
    if request.param == "sqlite":
        yield tmp_path / "careline.db"
        return
    server: TestServer = request.getfixturevalue("postgresql")
    with server.own_store() as own:
        yield own
