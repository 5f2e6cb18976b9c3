"""What every test shares. Fixtures of one suite live in that suite's own conftest.

Property tests look at the same examples in every run; `--hypothesis-profile=default` lets them search for new ones.
What is tested with a `store_place` is tested with both databases.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from appliance.store.models import database
from appliance.store.place import StorePlace
from tests.postgresql import TestServer

SETTINGS = "_hypothesis_internal_use_settings"  # Hypothesis has no way of its own to change a test that is made

# A busy machine is slow; that is no fault of what is tested.
SLOW_IS_WELL = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("repeatable", settings.get_profile("default"), derandomize=True, **SLOW_IS_WELL)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[TestServer]:
    server = TestServer()
    server.start()
    server.make_template()
    yield server
    server.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A property is looked at with a quarter of its examples on a server: each statement goes a long way there."""
    function = getattr(item, "obj", None)
    usual = getattr(function, SETTINGS, None)
    if usual is not None and "[postgresql" in item.name:
        setattr(function, SETTINGS, settings(usual, max_examples=max(5, usual.max_examples // 4)))
    try:
        return (yield)
    finally:
        if usual is not None:
            setattr(function, SETTINGS, usual)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], StorePlace]]:
    """Gives places where a test may have stores of its own, one for each call."""
    numbers = itertools.count(1)
    if request.param == "sqlite":
        yield lambda: tmp_path / f"careline{next(numbers)}.db"
        return
    server: TestServer = request.getfixturevalue("postgresql")
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(server.own_store())
        database.close()


@pytest.fixture
def store_place(store_places: Callable[[], StorePlace], tmp_path: Path) -> StorePlace:
    """Where a test may have one store; SQLite's where a box has it."""
    place = store_places()
    return tmp_path / "careline.db" if isinstance(place, Path) else place
