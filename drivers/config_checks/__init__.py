"""What can be wrong with `[lines]` that only shows beside the card, the files and the machine: one small function a check.

`drivers.config.faults` goes before: what is wrong by itself. Each docstring here says what a technician would do. Errors: the box could not
work so; warnings: it could, but not as meant. Used by `careline check` and, to the log, when the line server starts.
"""

from collections.abc import Callable, Iterator

from drivers.config_checks import digital, engine, files, groups, sets
from drivers.config_checks.box import Box
from drivers.errors import ConfigError

__all__ = ["WITHOUT_CARD", "WITH_CARD", "Box", "faults_of"]

Check = Callable[[Box], Iterator[ConfigError]]

WITH_CARD: tuple[Check, ...] = (
    groups.d_channels_in_groups,
    groups.roles_of_groups,
    groups.channels_without_group,
    groups.profiles_of_lines,
    digital.pri_sections,
    digital.r2_sections,
    digital.b_channels_without_link,
    sets.numbers_of_sets,
    sets.emergency_calls,
)
"""Those that have something to say only when the card's channels are known."""

WITHOUT_CARD: tuple[Check, ...] = (
    groups.ways_out,
    engine.ports_for_channels,
    engine.recordings_for_channels,
    engine.tones_of_country,
    files.prompts,
    files.announcements,
    files.spoken_by_telephones,
    sets.hotlines,
    sets.socket_group,
)


def faults_of(box: Box) -> list[ConfigError]:
    """All that the checks find, in their order."""
    checks = (*WITH_CARD, *WITHOUT_CARD) if box.specs else WITHOUT_CARD
    return [fault for check in checks for fault in check(box)]
