"""What `careline-calls --check` and `careline check` say of `[paths]`, `[calls]`, `[hospital]`, the flow, prompts and music.

One small function a check; each docstring says what a technician would do. Errors: the box could not work so; warnings
(`DoubtfulConfigError`): it could, but not as meant. Pure but for looking at folders and sound files.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from appliance.checks import folders, names, rules, sounds, stores
from appliance.config import LANGUAGES, Config
from appliance.ivr import checking
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.reading import built_in
from drivers.errors import CarelineError, ConfigError, DoubtfulConfigError
from drivers.protocol import LinesFound

__all__ = ["CHECKS", "NAMES", "errors_of", "faults_of", "faults_of_names"]

CHECKS: tuple[Callable[[Config], Iterator[ConfigError]], ...] = (
    folders.absolute,
    folders.apart,
    folders.usable,
    folders.lasting,
    folders.private,
    folders.shared,
    stores.reached,
    rules.unreachable,
    rules.patterns,
    rules.times_that_never_come,
    rules.always_closed,
    rules.message_lengths,
    rules.operator_by_flash,
    names.services,
    sounds.music,
)

NAMES: tuple[Callable[[Config, LinesFound], Iterator[ConfigError]], ...] = (
    names.groups_of_routes,
    names.operator_group,
    names.operator_channel,
    names.operator_number,
    names.message_lamps,
)
"""What can be said only beside the lines there are."""


def faults_of(config: Config, prompts: PromptLibrary, file: Path, lines: LinesFound | None = None) -> list[CarelineError]:
    """All that is wrong. `lines`: as the line server will have them, None when it could not say; names are looked for in the file then."""
    found: list[CarelineError] = [fault.error() for fault in checking.faults(built_in(), prompts.ids, LANGUAGES)]
    found += (_in_file(fault, file) for check in CHECKS for fault in check(config))
    found += faults_of_names(config, lines, file) if lines else (_in_file(fault, file) for fault in names.groups_in_file(config))
    found += (_in_file(fault, file) for fault in sounds.clips_of_hours(config, prompts))
    return found + list(prompts.faults())


def faults_of_names(config: Config, lines: LinesFound, file: Path) -> list[ConfigError]:
    """Names in `[calls]` that lead nowhere on these lines."""
    return [_in_file(fault, file) for check in NAMES for fault in check(config, lines)]


def errors_of(faults: Iterable[CarelineError]) -> list[CarelineError]:
    """Without those the box works with."""
    return [fault for fault in faults if not isinstance(fault, DoubtfulConfigError)]


def _in_file(fault: ConfigError, file: Path) -> ConfigError:
    return type(fault)(fault.code, f"{file}: {fault.what}", fault.remedy)
