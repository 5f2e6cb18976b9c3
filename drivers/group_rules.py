"""What can be wrong with trunk groups beyond their channels: directions, reserve, limits, overflow that comes back, numbering. Pure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from drivers.channel_text import channel_numbers
from drivers.errors import ConfigError
from drivers.numbers import NumberRules, Rewrite
from drivers.protocol.number_plan import read_pattern
from drivers.settings import check_ranges

if TYPE_CHECKING:
    from drivers.config import GroupConfig

DIALLED = frozenset("0123456789*#w")


def overflow_order(name: str, groups: Mapping[str, "GroupConfig"]) -> tuple[str, ...]:
    """The group and every group after it, each once, in the order they are tried: a group's own overflow before its neighbour."""
    found = dict.fromkeys([name])
    for other in groups[name].overflow:
        found |= dict.fromkeys(overflow_order(other, groups))
    return tuple(found)


def check_groups(groups: Sequence["GroupConfig"], numbers: NumberRules, file: str) -> None:
    """Raises: ConfigError CFG-034 a number out of range, CFG-080 a direction of a channel that is not the group's or that leaves it none,
    CFG-081 overflow to a group that is not there, CFG-082 overflow that comes back, CFG-083 numbering that cannot be read."""
    known = {group.name: group for group in groups}
    for at, group in enumerate(groups):
        where = f"{file}: lines.groups[{at}]"
        _check_directions(group, where)
        _check_limits(group, where)
        _check_numbers(group, where)
        for name in group.overflow:
            if name not in known:
                raise ConfigError("CFG-081", f'{where}.overflow: there is no group "{name}"', f"Groups are {', '.join(known)}")
    for at, group in enumerate(groups):
        _check_loop((group.name,), known, f"{file}: lines.groups[{at}]")
    _check_rules(numbers, f"{file}: lines.numbers")


def _check_directions(group: "GroupConfig", where: str) -> None:
    both: list[set[int]] = []
    for key, text in (("incoming_only", group.incoming_only), ("outgoing_only", group.outgoing_only)):
        try:
            numbers = set(channel_numbers(text)) if text else set()
        except ValueError as error:
            raise ConfigError("CFG-080", f'{where}.{key} = "{text}": {error}', 'Write numbers and ranges, as in "1-4,7"') from error
        if strange := numbers - set(group.numbers):
            raise ConfigError("CFG-080", f'{where}.{key}: channel {min(strange)} is not in group "{group.name}"', "Name its own channels")
        both.append(numbers)
    if common := both[0] & both[1]:
        raise ConfigError("CFG-080", f"{where}: channel {min(common)} is incoming_only and outgoing_only", "Say one of them, or none")


def _check_limits(group: "GroupConfig", where: str) -> None:
    limits = (
        ("reserve", group.reserve, 0, len(group.numbers)),
        ("attempts_per_s", group.attempts_per_s, 0, 1000),
        ("attempts_wait_ms", group.attempts_wait_ms, 0, 60_000),
        *((f"numbers_as.{way}.strip", rewrite.strip, 0, 32) for way, rewrite in _rewrites(group)),
    )
    check_ranges(f"{where}.", limits)


def _check_numbers(group: "GroupConfig", where: str) -> None:
    texts = (("access", group.numbers_as.access), *((f"{way}.prepend", rewrite.prepend) for way, rewrite in _rewrites(group)))
    for key, text in texts:
        if not set(text) <= DIALLED:
            raise ConfigError("CFG-083", f'{where}.numbers_as.{key} = "{text}"', "Write digits, *, # or w for a pause of 500 ms")


def _rewrites(group: "GroupConfig") -> tuple[tuple[str, Rewrite], ...]:
    numbers = group.numbers_as
    return (("ani", numbers.ani), ("dnis", numbers.dnis), ("dialled", numbers.dialled))


def _check_loop(way: tuple[str, ...], groups: Mapping[str, "GroupConfig"], where: str) -> None:
    for name in groups[way[-1]].overflow:
        if name in way:
            what = f"{where}.overflow comes back: {' > '.join((*way, name))}"
            raise ConfigError("CFG-082", what, "Let the last group have no overflow to one before it")
        _check_loop((*way, name), groups, where)


def _check_rules(numbers: NumberRules, where: str) -> None:
    for pattern in (*numbers.whole, *numbers.local):
        try:
            read_pattern(pattern)
        except ValueError as error:
            raise ConfigError(
                "CFG-083", f'{where}: pattern "{pattern}": {error}', "Patterns are digits, x, [3-9] and at the end ."
            ) from error
    digits = (numbers.country_code, numbers.area_code, numbers.national_prefix, numbers.international_prefix)
    if wrong := [text for text in digits if text and not text.isdecimal()]:
        raise ConfigError("CFG-083", f'{where}: "{wrong[0]}"', "Write digits only")
    if not numbers.country_code or not numbers.international_prefix:
        raise ConfigError("CFG-083", f"{where}: country_code and international_prefix are needed", 'In China: "86" and "00"')
