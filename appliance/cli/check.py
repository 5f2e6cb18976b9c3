"""`careline check`: whether the configuration, the prompts and the flows are such that the box could start, and would do what is meant.

Each process knows its own sections. The line server and the web are asked by `--check --json`, without a card's channel or a port being
opened; what the line server says of groups and numbers is what the names in `[calls]` are held against.
"""

import subprocess
import sys
from pathlib import Path

import click
import msgspec

from appliance import checks
from appliance import config as configuration
from appliance.cli.options import config_option
from appliance.cli.serve import command_of
from appliance.config import Config
from appliance.ivr.prompts.library import PromptLibrary
from drivers import settings
from drivers.errors import CarelineError
from drivers.protocol import CheckReport, ConfigFinding, LinesFound, findings_of

LIMIT_S = 60.0
MARKS = {"error": "✗", "warning": "!"}


class Verdict(msgspec.Struct, frozen=True):
    """All that was found, by the process it concerns ("calls", "lines", "web"); the form of `--json`."""

    file: str
    errors: int
    warnings: int
    calls: CheckReport
    lines: CheckReport
    web: CheckReport


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def check(config: Path, as_json: bool) -> None:
    """Check the configuration file, the prompts and the flows without starting anything. Exit status 1 if the box could not work so;
    warnings (!) are about what it would hardly do as meant."""
    verdict = verdict_of(config.absolute())
    if as_json:
        click.echo(msgspec.json.encode(verdict))
    else:
        _tell(verdict)
    sys.exit(bool(verdict.errors))


def verdict_of(file: Path) -> Verdict:
    """Everything, each thing once: a fault of the whole file is one of every process."""
    lines, web = _ask("lines", file), _ask("web", file)
    calls = calls_report(file, lines.lines)
    lines, web = _without(lines, calls), _without(_without(web, calls), lines)
    grades = [finding.severity for report in (calls, lines, web) for finding in report.findings]
    return Verdict(str(file), grades.count("error"), grades.count("warning"), calls, lines, web)


def _without(report: CheckReport, told: CheckReport) -> CheckReport:
    return msgspec.structs.replace(report, findings=tuple(finding for finding in report.findings if finding not in told.findings))


def _tell(verdict: Verdict) -> None:
    """Faults on standard error, what is well on standard output."""
    for name, report in (("calls", verdict.calls), ("lines", verdict.lines), ("web", verdict.web)):
        for finding in report.findings:
            click.echo(f"{MARKS[finding.severity]} {finding.code}: {finding.what}\n    → {finding.remedy}", err=True)
        if report.is_usable:
            click.echo(f"✓ {name}{report.said and f': {report.said}'}")
    if verdict.errors or verdict.warnings:
        click.echo(f"{verdict.file}: {verdict.errors} errors, {verdict.warnings} warnings", err=True)


# --- the call agent's sections -------------------------------------------------------------------------------------


def calls_report(file: Path, lines: LinesFound | None) -> CheckReport:
    """What is wrong with `[paths]`, `[calls]` and `[hospital]`, the flow, prompts and music. `lines`: as the line server found them."""
    try:
        config = settings.load(file, Config)
        faults = list(configuration.faults(config, str(file))) or checks.faults_of(config, PromptLibrary(), file, lines)
    except CarelineError as error:
        faults = [error]
    return CheckReport(findings=findings_of(faults), said="calls, prompts and flows")


# --- those of the others -------------------------------------------------------------------------------------------


def _ask(name: str, file: Path) -> CheckReport:
    try:
        done = subprocess.run([*command_of(name, file), "--check", "--json"], timeout=LIMIT_S, check=False, capture_output=True)
        return msgspec.json.decode(done.stdout, type=CheckReport)
    except subprocess.TimeoutExpired:
        return _no_answer(name, f"it was not done within {LIMIT_S:.0f} s")
    except msgspec.DecodeError:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return _no_answer(name, last[0] if last else f"it ended with {done.returncode}")


def _no_answer(name: str, why: str) -> CheckReport:
    remedy = "`careline doctor` says what is missing on this machine"
    what = f"careline-{name} could not check its sections: {why}"
    return CheckReport(findings=(ConfigFinding(code="APP-120", severity="error", what=what, remedy=remedy),))
