"""What can be wrong with `[lines]` that only shows beside the card, the files and the machine: one small function a check.

`drivers.config.faults` goes before: what is wrong by itself. Each docstring here says what a technician would do. Errors: the box could not
work so; warnings: it could, but not as meant. Used by `careline check` and, to the log, when the line server starts.
"""

from collections.abc import Callable, Iterator

from drivers.config_checks import digital, engine, files, groups, sets
from drivers.config_checks.box import Box
from drivers.errors import ConfigError

__all__ = ["CHECKS", "Box", "faults_of"]

CHECKS: tuple[Callable[[Box], Iterator[ConfigError]], ...] = (
    groups.d_channels_in_groups,
    groups.roles_of_groups,
    groups.channels_without_group,
    groups.profiles_of_lines,
    digital.pri_sections,
    digital.r2_sections,
    digital.b_channels_without_link,
    engine.ports_for_channels,
    engine.recordings_for_channels,
    files.prompts,
    files.announcements,
    files.spoken_by_telephones,
    sets.hotlines,
    sets.numbers_of_sets,
    sets.emergency_calls,
    sets.socket_group,
)


def faults_of(box: Box) -> list[ConfigError]:
    """All that the checks find, in their order."""
    return [fault for check in CHECKS for fault in check(box)]
