"""`careline-lines --check`: all that is wrong with `[paths]` and `[lines]`, with the card at hand but no channel opened. Any thread.

Goes as far as it makes sense: what a section says by itself first, then what the card says to it, then the rest (drivers.config_checks).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from drivers import config_checks, settings
from drivers.config import LinesFile, check_card, faults, load
from drivers.dahdi import setup as dahdi_setup
from drivers.errors import CarelineError, ConfigError
from drivers.io import Card
from drivers.media import Engine
from drivers.protocol import CheckReport, GroupFound, LinesFound, findings_of
from drivers.server.adoption import FXO_SIGNALLED, groups_for, plan_for
from drivers.server.cards import engine_for, make_card


def check_file(path: Path) -> CheckReport:
    """What can be said of that file without starting anything."""
    try:
        found = list(faults(settings.load(path, LinesFile).lines, str(path)))
        return CheckReport(findings=findings_of(found)) if found else _check_with_card(load(path), path)
    except ConfigError as error:
        where = "" if str(path) in error.what else f"{path}: "
        return CheckReport(findings=findings_of([type(error)(error.code, where + error.what, error.remedy)]))
    except CarelineError as error:
        return CheckReport(findings=findings_of([error]))


def faults_beside(file: LinesFile, path: Path, card: Card, engine: Engine) -> list[CarelineError]:
    """What `drivers.config_checks` finds. Raises: ConfigError CFG-070 to CFG-074 when there is no dial plan to look at."""
    return list(config_checks.faults_of(_box(file, path, card, engine)))


def _check_with_card(file: LinesFile, path: Path) -> CheckReport:
    """Raises: CarelineError when there is no such card."""
    lines = file.lines
    if lines.card == "dahdi":
        dahdi_setup.check(lines.dahdi)
    engine = engine_for(lines)
    try:
        card = make_card(lines, engine)
        report = _report(file, path, card, engine)
        card.close()
        return report
    finally:
        engine.close()


def _report(file: LinesFile, path: Path, card: Card, engine: Engine) -> CheckReport:
    lines, specs = file.lines, card.channels()
    groups = groups_for(lines.groups, specs)
    first = (lambda: check_card(lines, specs, str(path)), lambda: plan_for(lines.dial_plan, groups, str(path)))
    found = list(_raised(first)) or faults_beside(file, path, card, engine)
    report = CheckReport(findings=findings_of(found), said=f"{len(specs)} channels on the {lines.card} card")
    return CheckReport(findings=report.findings, said=report.said, lines=_lines_found(file, card)) if report.is_usable else report


def _raised(checks: tuple[Callable[[], object], ...]) -> Iterator[CarelineError]:
    for check in checks:
        try:
            check()
        except CarelineError as error:
            yield error


def _box(file: LinesFile, path: Path, card: Card, engine: Engine) -> config_checks.Box:
    lines, specs, written = file.lines, card.channels(), file.paths.line_setup
    groups = groups_for(lines.groups, specs)
    return config_checks.Box(
        lines=lines,
        specs=specs,
        groups=groups,
        plan=plan_for(lines.dial_plan, groups, str(path)),
        open_clip=lambda clip: engine.clips.close(engine.clips.open(clip)),
        file=str(path),
        setup_file=str(written) if written.exists() else "",
    )


def _lines_found(file: LinesFile, card: Card) -> LinesFound:
    specs = card.channels()
    groups, sets = groups_for(file.lines.groups, specs), {spec.number for spec in specs if spec.signalling in FXO_SIGNALLED}
    found = (GroupFound(name=group.name, channels=group.numbers, is_sets=not sets.isdisjoint(group.numbers)) for group in groups)
    return LinesFound(groups=tuple(found), number_plan=plan_for(file.lines.dial_plan, groups))
