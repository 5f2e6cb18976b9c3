"""`careline doctor`."""

import os
import sys
from pathlib import Path

import click

from appliance.cli.options import config_option
from appliance.doctor import Grade, Lang, examine, report


@click.command()
@config_option
@click.option("--lang", type=click.Choice(["zh", "en"]), help="[default: by the variables LC_ALL, LC_MESSAGES, LANG]")
def doctor(config: Path, lang: Lang | None) -> None:
    """Say in plain words what is wrong with this box. Exit status 1 if anything failed."""
    findings = examine(config.absolute())
    click.echo(report(findings, lang or terminal_language()))
    sys.exit(any(finding.grade is Grade.FAILED for finding in findings))


def terminal_language() -> Lang:
    """zh where the terminal's language is Chinese, else en. Source: locale(7), order of the variables."""
    named = next((os.environ[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(key)), "")
    return "zh" if named.startswith("zh") else "en"
