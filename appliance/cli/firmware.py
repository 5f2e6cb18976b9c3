"""`careline firmware …` and `careline cards`: turn into the program that knows cards (firmware_shims), which is not imported here."""

import os
import sys
from pathlib import Path

import click

from appliance.cli.options import config_option

PASSED_ON = {"ignore_unknown_options": True, "help_option_names": []}


@click.command("firmware", context_settings=PASSED_ON)
@config_option
@click.argument("rest", nargs=-1, type=click.UNPROCESSED)
def firmware(config: Path, rest: tuple[str, ...]) -> None:
    """Make telephony cards ready; check, keep and remove their firmware files (--help for more)."""
    _become(config, *rest)


@click.command("cards", context_settings=PASSED_ON)
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def cards(config: Path, as_json: bool) -> None:
    """Which telephony cards there are, how far each is, what it lacks."""
    _become(config, *(["--json"] if as_json else []), "cards")


def _become(config: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "firmware_shims", "--config", str(config.absolute()), *arguments]
    os.execv(command[0], command)
