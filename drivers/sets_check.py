"""What the types alone cannot say of `[lines.sets]`. Pure."""

from collections.abc import Iterable

from drivers.channel_text import channel_numbers, channel_text
from drivers.errors import ConfigError
from drivers.io import ChannelSpec, Signalling
from drivers.settings import check_ranges
from drivers.signalling.fxs_config import LONGEST_RING_MS, MAX_CADENCE, SHORTEST_RING_MS, SetsConfig

SET_SIGNALLING = frozenset({Signalling.FXOKS, Signalling.FXOLS})
KEYS = frozenset("0123456789*#")
LONGEST_HOTLINE_MS = 60_000
RANGES = {
    "first_digit_ms": (1_000, 60_000),
    "next_digit_ms": (1_000, 60_000),
    "release_guard_ms": (0, 10_000),
    "busy_tone_ms": (1_000, 600_000),
    "howler_ms": (1_000, 600_000),
    "flash_max_ms": (250, 2_000),
    "caller_id_after_ms": (500, 1_500),
    "caller_id_limit_ms": (1_000, 10_000),
    "beep_ms": (300, 5_000),
}


def check_sets(sets: SetsConfig, file: str) -> None:
    """Raises: ConfigError CFG-034 a number out of range, CFG-030 channels cannot be read, CFG-075 a ring cadence, CFG-076 a port."""
    check_ranges(f"{file}: lines.sets.", ((key, getattr(sets, key), lowest, highest) for key, (lowest, highest) in RANGES.items()))
    for kind in sets.rings.__struct_fields__:
        _check_cadence(f"{file}: lines.sets.rings.{kind}", sets.rings.of(kind))
    owner: dict[int, int] = {}
    for at, port in enumerate(sets.ports):
        _check_port(port.channels, f"{file}: lines.sets.ports[{at}]", owner, at)
        if not set(port.answer_key) <= KEYS or len(port.answer_key) != 1 or not set(port.hotline) <= KEYS:
            what = f"{file}: lines.sets.ports[{at}]: answer_key {port.answer_key!r}, hotline {port.hotline!r}"
            raise ConfigError("CFG-076", what, "Name one key for an answer, and digits, * and # for a hotline")
        check_ranges(f"{file}: lines.sets.ports[{at}].", [("hotline_after_ms", port.hotline_after_ms, 0, LONGEST_HOTLINE_MS)])


def check_ports(sets: SetsConfig, specs: Iterable[ChannelSpec], file: str) -> None:
    """That the ports are sets of the card. Raises: ConfigError CFG-077."""
    have = {spec.number for spec in specs if spec.signalling in SET_SIGNALLING}
    for at, port in enumerate(sets.ports):
        if missing := [number for number in channel_numbers(port.channels) if number not in have]:
            what = f'{file}: lines.sets.ports[{at}].channels = "{port.channels}": channel {missing[0]} is no port for a telephone set'
            raise ConfigError("CFG-077", what, f"Such ports are: {channel_text(sorted(have)) or 'none'}")


def _check_cadence(where: str, cadence_ms: tuple[int, ...]) -> None:
    if len(cadence_ms) % 2 or len(cadence_ms) > MAX_CADENCE or any(not SHORTEST_RING_MS <= ms <= LONGEST_RING_MS for ms in cadence_ms):
        remedy = f"Write on, off, on, off … in pairs, up to {MAX_CADENCE} of {SHORTEST_RING_MS} to {LONGEST_RING_MS} ms; or nothing"
        raise ConfigError("CFG-075", f"{where} = {list(cadence_ms)}", remedy)


def _check_port(channels: str, where: str, owner: dict[int, int], at: int) -> None:
    try:
        numbers = channel_numbers(channels)
    except ValueError as error:
        raise ConfigError("CFG-030", f'{where}.channels = "{channels}": {error}', 'Write numbers and ranges, as in "1-24,26"') from error
    for number in numbers:
        if number in owner:
            what = f'{where}.channels = "{channels}": channel {number} is in lines.sets.ports[{owner[number]}] already'
            raise ConfigError("CFG-076", what, "A set is described once")
        owner[number] = at
