"""The `careline` command. Each command lives in a module beside this one; what they raise is told here, in one line with a remedy.

Starts the three processes with exec or as children, so nothing of the line server or the web is imported here. A command's module
is imported only when it is asked for: `careline doctor` must work when half of the box is broken.
"""

import sys
from importlib import import_module
from keyword import iskeyword
from pathlib import Path

import click

from drivers.errors import CarelineError

COMMANDS = {
    "demo": "demo",
    "lines": "lines",
    "calls": "serve",
    "web": "serve",
    "voice": "serve",
    "printers": "serve",
    "peripherals": "serve",
    "system": "serve",
    "console": "console",
    "health": "serve",
    "check": "check",
    "bench": "bench",
    "handset": "handset",
    "doctor": "doctor",
    "import": "import_file",
    "cards": "firmware",
    "firmware": "firmware",
}


class Commands(click.Group):
    """The commands by name, in the order a newcomer meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from appliance.console.commands import TABLE

        return list(dict.fromkeys((*COMMANDS, *TABLE.nouns)))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Those of the console are made from its table; of `calls`, both the process and commands of that table."""
        process = _own(cmd_name) if cmd_name in COMMANDS else None
        if process is not None and cmd_name != "calls":
            return process
        from appliance.cli.table_commands import group
        from appliance.console.commands import TABLE

        return group(cmd_name, process) if cmd_name in TABLE.nouns else None


def _own(name: str) -> click.Command:
    command: click.Command = getattr(import_module(f"appliance.cli.{COMMANDS[name]}"), f"{name}_" if iskeyword(name) else name)
    return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="careline")
def careline() -> None:
    """A hospital call centre in one box. `careline COMMAND --help` tells more of each command."""


def main() -> None:
    """Exit status: 0 well, 1 a fault (told on standard error), 2 wrong use."""
    try:
        careline.main(prog_name=Path(sys.argv[0]).name)
    except CarelineError as error:
        click.echo(f"careline: {error.code}: {error.what}\n  {error.remedy}", err=True)
        sys.exit(1)
    except ImportError as error:
        sys.exit(_broken(error))


def _broken(error: ImportError) -> str:
    return f"careline: APP-093: a part cannot be loaded: {error}\n  Run `make demo` again: it installs and builds what is needed"
