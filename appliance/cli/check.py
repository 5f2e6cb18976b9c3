"""`careline check`: whether the configuration, the prompts and the flows are such that the box could start."""

import subprocess
import sys
from pathlib import Path

import click

from appliance import checks
from appliance import config as configuration
from appliance.cli.options import config_option
from appliance.cli.serve import MODULES
from appliance.config import Config
from appliance.ivr.prompts.catalogue import PromptError
from appliance.ivr.prompts.library import PromptLibrary
from drivers.errors import CarelineError

LIMIT_S = 60.0


@click.command()
@config_option
def check(config: Path) -> None:
    """Check the configuration file, the prompts and the flows without starting anything. Exit status 1 if one is wrong."""
    path = config.absolute()
    faults = _faults(configuration.load(path))
    for fault in faults:
        click.echo(f"✗ {fault.code}: {fault.what}\n    → {fault.remedy}", err=True)
    if not faults:
        click.echo(f"✓ {path}: calls, prompts and flows")
    sys.exit(bool(faults) | _owners_say(path))


def _faults(config: Config) -> list[CarelineError]:
    try:
        return checks.faults_of(config, PromptLibrary())
    except PromptError as error:
        return [error]


def _owners_say(config: Path) -> bool:
    """The line server and the web know their own sections; they check them without opening a card or a port."""
    bad = False
    for name in ("lines", "web"):
        command = [sys.executable, "-m", MODULES[name], "--check", "--config", str(config)]
        code = subprocess.run(command, timeout=LIMIT_S, check=False).returncode
        if code == 0:
            click.echo(f"✓ {config}: {name}")
        bad |= code != 0
    return bad
