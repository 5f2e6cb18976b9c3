"""`careline bench`: turns into the measurements, which live with the tests (tests/bench) since they look into every process."""

import os
import sys
from pathlib import Path

import click

from appliance.errors import StartError

CHECKOUT = Path(__file__).resolve().parents[2]


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure this machine: `careline bench --help` tells what; --json FILE writes the figures down."""
    if not (CHECKOUT / "tests/bench/__main__.py").exists():
        raise StartError("APP-071", f"no measurements in {CHECKOUT}/tests/bench", "Run it from a checkout, not from an installed package")
    os.chdir(CHECKOUT)
    command = [sys.executable, "-m", "tests.bench", *arguments]
    os.execv(command[0], command)
