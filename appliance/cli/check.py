"""`careline check`: whether the configuration, the prompts and the flows are such that the box could start."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click

from appliance import config as configuration
from appliance.cli.options import config_option
from appliance.cli.serve import MODULES
from appliance.ivr import flow
from appliance.ivr.first_flow import FIRST_FLOW
from appliance.ivr.prompts.catalogue import PromptError
from appliance.ivr.prompts.library import PromptLibrary
from drivers.errors import CarelineError

LIMIT_S = 60.0


@click.command()
@config_option
def check(config: Path) -> None:
    """Check the configuration file, the prompts and the flows without starting anything. Exit status 1 if one is wrong."""
    path = config.absolute()
    configuration.load(path)
    click.echo(f"✓ configuration {path}")
    faults = _prompts_and_flows()
    for fault in faults:
        click.echo(f"✗ {fault.code}: {fault.what}\n    → {fault.remedy}", err=True)
    sys.exit(_lines(path) or bool(faults))


def _prompts_and_flows() -> list[CarelineError]:
    try:
        library = PromptLibrary()
    except PromptError as error:
        return [error]
    faults: list[CarelineError] = [*library.faults(), *flow.faults(FIRST_FLOW, _ids(library), configuration.LANGUAGES)]
    if not faults:
        click.echo(f"✓ prompts and flow {FIRST_FLOW.name!r}")
    return faults


def _ids(library: PromptLibrary) -> Callable[[str], frozenset[str]]:
    return lambda language: library.ids("zh" if language == "zh" else "en")


def _lines(config: Path) -> int:
    """The line server knows its own section; it checks it without opening a card."""
    command = [sys.executable, "-m", MODULES["lines"], "--check", "--config", str(config)]
    return subprocess.run(command, timeout=LIMIT_S, check=False).returncode
