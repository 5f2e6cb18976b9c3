"""Every scenario of the line lab as a test: the guest boots once and runs all that were selected; soaks only by name (tests.lab.run)."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.lab.guest import set_up
from tests.lab.run import RUN_LIMIT_S, run_scenarios
from tests.lab.scenario import Outcome, load

DISTURBING = ("killing_lines.", "product_replug.")  # they leave another line server and other spans than they found: last
NAMES = tuple(sorted((each.name for each in load(())), key=lambda name: name.startswith(DISTURBING)))


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    """Outcomes of the selected scenarios by name. The guest's console, kernel log and output stay in pytest's directory."""
    calls = (getattr(item, "callspec", None) for item in request.session.items)
    names = [call.params["name"] for call in calls if call is not None and "name" in call.params]
    share: Path = tmp_path_factory.mktemp("lab")
    set_up()
    return {outcome.name: outcome for outcome in run_scenarios(names, share, RUN_LIMIT_S, own_time=True)}


@pytest.mark.parametrize("name", NAMES)
def test_scenario(name: str, outcomes: Mapping[str, Outcome], capsys: pytest.CaptureFixture[str]) -> None:
    outcome = outcomes[name]
    with capsys.disabled():
        print(f" {name} {outcome.took_s:.0f} s: {', '.join(f'{key} {value}' for key, value in outcome.figures.items())}")
    assert not outcome.error, outcome.error
