"""`careline-lines --check`: all that is wrong with `[paths]` and `[lines]`, with the card at hand but no channel opened. Any thread.

Goes as far as it makes sense: what a section says by itself first, then what the card says to it, then the rest (drivers.config_checks).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from drivers import config_checks, settings
from drivers.config import GroupConfig, LinesConfig, LinesFile, check_card, faults, load
from drivers.dahdi import setup as dahdi_setup
from drivers.errors import CarelineError, ConfigError, LineError
from drivers.io import ChannelSpec
from drivers.media import Engine
from drivers.protocol import CheckReport, GroupFound, LinesFound, findings_of
from drivers.server.adoption import FXO_SIGNALLED, groups_for, plan_for
from drivers.server.cards import engine_for, make_card

Specs = tuple[ChannelSpec, ...]


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


def faults_beside(file: LinesFile, path: Path, specs: Specs, engine: Engine) -> list[ConfigError]:
    """What `drivers.config_checks` finds beside these channels. Raises: ConfigError CFG-070 to CFG-074 when there is no dial plan."""
    lines, written = file.lines, file.paths.line_setup
    groups = groups_for(lines.groups, specs)
    box = config_checks.Box(
        lines=lines,
        specs=specs,
        groups=groups,
        plan=plan_for(lines.dial_plan, groups, str(path)),
        open_clip=lambda clip: engine.clips.close(engine.clips.open(clip)),
        file=str(path),
        setup_file=str(written) if written.exists() else "",
    )
    return config_checks.faults_of(box)


def _check_with_card(file: LinesFile, path: Path) -> CheckReport:
    """Without a card, what can be said without it. Raises: ConfigError LIN-113; MediaError."""
    if file.lines.card == "dahdi":
        dahdi_setup.check(file.lines.dahdi)
    engine = engine_for(file.lines)
    try:
        return _report(file, path, _channels(file.lines, engine), engine)
    except LineError as error:
        return _report(file, path, (), engine, error)
    finally:
        engine.close()


def _channels(lines: LinesConfig, engine: Engine) -> Specs:
    """What the card has. Raises: LineError."""
    card = make_card(lines, engine)
    try:
        return card.channels()
    finally:
        card.close()


def _report(file: LinesFile, path: Path, specs: Specs, engine: Engine, no_card: LineError | None = None) -> CheckReport:
    lines = file.lines
    groups = groups_for(lines.groups, specs)
    found: list[CarelineError] = [no_card] if no_card else list(_raised(lambda: check_card(lines, specs, str(path))))
    no_plan = list(_raised(lambda: plan_for(lines.dial_plan, groups, str(path))))
    fits = not no_plan and (no_card or not found)
    found += no_plan or (faults_beside(file, path, specs, engine) if fits else [])
    said = f"{len(specs)} channels on the {lines.card} card"
    return CheckReport(findings=findings_of(found), said=said, lines=None if no_plan or not groups else _lines_found(file, groups, specs))


def _raised(check: Callable[[], object]) -> Iterator[CarelineError]:
    try:
        check()
    except CarelineError as error:
        yield error


def _lines_found(file: LinesFile, groups: tuple[GroupConfig, ...], specs: Specs) -> LinesFound:
    """A group has sets when its ports are for sets; without a card, when it says so."""
    sets = {spec.number for spec in specs if spec.signalling in FXO_SIGNALLED}

    def has_sets(group: GroupConfig) -> bool:
        return not sets.isdisjoint(group.numbers) if specs else group.role == "extension"

    found = (GroupFound(name=group.name, channels=group.numbers, is_sets=has_sets(group)) for group in groups)
    return LinesFound(groups=tuple(found), number_plan=plan_for(file.lines.dial_plan, groups))
