"""`careline firmware …` and `careline cards`: turn into the program that knows cards (firmware_shims), which is not imported here."""

import os
import sys
from pathlib import Path

import click

from appliance.cli.options import config_option


@click.command("firmware", context_settings={"ignore_unknown_options": True})
@config_option
@click.argument("rest", nargs=-1, type=click.UNPROCESSED)
def firmware(config: Path, rest: tuple[str, ...]) -> None:
    """Make telephony cards ready (load), begin anew with one (reset), check, add and remove their firmware files.

    `careline firmware load`, `reset --port PORT`, `check FILE`, `add FILE`, `remove NAME`; each tells more with `-- --help` behind it.
    """
    _become(config, *rest)


@click.command("cards")
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def cards(config: Path, as_json: bool) -> None:
    """Which telephony cards there are, how far each is, what it lacks."""
    _become(config, *(["--json"] if as_json else []), "cards")


def _become(config: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "firmware_shims", "--config", str(config.absolute()), *arguments]
    os.execv(command[0], command)
