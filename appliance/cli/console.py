"""`careline console`: the technician's shell on this terminal, or on a serial port."""

import os
import sys
from pathlib import Path

import click

from appliance.cli.options import config_option


@click.command()
@config_option
@click.option("--tty", help="A serial port, as /dev/ttyS0.  [default: this terminal]")
@click.option("--check", is_flag=True, help="With --tty: only say, by the exit status, whether that port is a console.")
def console(config: Path, tty: str | None, check: bool) -> None:
    """The technician's shell, on this terminal or a serial port; one session."""
    port = ["--tty", tty, *(["--check"] if check else [])] if tty else []
    command = [sys.executable, "-m", "appliance.console", "--config", str(config.absolute()), *port]
    os.execv(command[0], command)
