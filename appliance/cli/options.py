"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

CONFIG = Path("/etc/careline/careline.toml")

F = TypeVar("F", bound=Callable[..., Any])


def config_option(command: F) -> F:
    """--config FILE, or the variable CARELINE_CONFIG."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        default=CONFIG,
        show_default=True,
        envvar="CARELINE_CONFIG",
        help="The configuration file.",
    )(command)
