"""Which profile a line of the exchange has, and the tones that were learnt on it. Pure but for reading and writing one TOML file.

A profile's `channels` come before a group's `profile`, that before `[lines.analog]`; what was learnt replaces the tones of any of them.
The file `line-tones.toml` in data_dir is part of the configuration; `careline lines learn` writes it.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from drivers import settings
from drivers.channel_text import channel_numbers
from drivers.errors import ConfigError
from drivers.signalling.fxo_profile import LineProfile, LineTones
from drivers.signalling.tone_text import tone_parts

LEARNT_FILE = "line-tones.toml"
GAP_MARGIN = 1.2  # of ringback's pause; the kernel's and the detector's times are right to a few percent

_HEAD = "# Tones of lines, measured by `careline lines learn`. Part of the configuration; a line's entry can be deleted to forget it.\n"


class LearntTones(msgspec.Struct, frozen=True, kw_only=True):
    """What calling `number` on a line told of its switch. `channels`: the lines it holds for; `learnt_at`: UTC, ISO 8601."""

    channels: tuple[int, ...]
    number: str
    learnt_at: str
    tones: LineTones


class LearntFile(msgspec.Struct, frozen=True, kw_only=True):
    lines: tuple[LearntTones, ...] = ()


def load_learnt(data_dir: Path) -> tuple[LearntTones, ...]:
    """None when the file is not there. Raises: ConfigError CFG-001..004."""
    path = data_dir / LEARNT_FILE
    return settings.load(path, LearntFile).lines if path.exists() else ()


def keep_learnt(data_dir: Path, learnt: LearntTones) -> tuple[LearntTones, ...]:
    """Write it in place of what was known of these channels; all that is known now. Raises: ConfigError CFG-001..004, CFG-038."""
    others = (_without(each, learnt.channels) for each in load_learnt(data_dir))
    known = (*(each for each in others if each.channels), learnt)
    path = data_dir / LEARNT_FILE
    fresh = path.with_suffix(".new")
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        fresh.write_text(_HEAD + "".join(_toml(each) for each in known), "utf-8")
        fresh.replace(path)
    except OSError as error:
        raise ConfigError("CFG-038", f"cannot write {path}: {error.strerror}", "Check the folder's rights and free space") from error
    return known


def profile_of(
    channel: int, wanted: str, default: LineProfile, profiles: Iterable[LineProfile], learnt: Iterable[LearntTones]
) -> LineProfile:
    """The profile of that channel, whose group asks for the profile `wanted` (or empty)."""
    own = next((each for each in profiles if channel in channels_of(each)), None)
    named = next((each for each in profiles if each.name == wanted), default) if wanted else default
    tones = next((each.tones for each in learnt if channel in each.channels), None)
    return own or named if tones is None else with_tones(own or named, tones)


def with_tones(profile: LineProfile, tones: LineTones) -> LineProfile:
    """The profile with these tones in place of its own; ringback's pause is waited out."""
    merged = msgspec.structs.replace(profile.tones, **tones.written())
    pauses = (part.ms for part in tone_parts(merged.ringback) if not part.hz1) if merged.ringback else ()
    gap_ms = min(15_000, round(GAP_MARGIN * max(pauses, default=0)))
    return msgspec.structs.replace(profile, tones=merged, ringback_gap_ms=gap_ms or profile.ringback_gap_ms)


def channels_of(profile: LineProfile) -> tuple[int, ...]:
    """Raises: ValueError."""
    return channel_numbers(profile.channels) if profile.channels else ()


def _without(learnt: LearntTones, channels: tuple[int, ...]) -> LearntTones:
    return msgspec.structs.replace(learnt, channels=tuple(number for number in learnt.channels if number not in channels))


def _toml(learnt: LearntTones) -> str:
    """Values hold no quotes: digits, tones as `tone_parts` reads them, a time."""
    tones = ", ".join(f'{name} = "{text}"' for name, text in learnt.tones.written().items())
    return (
        f'\n[[lines]]\nchannels = {list(learnt.channels)}\nnumber = "{learnt.number}"\n'
        f'learnt_at = "{learnt.learnt_at}"\ntones = {{{tones}}}\n'
    )
