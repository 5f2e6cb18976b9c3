"""Configuration of the line server: `[paths]` and `[lines]` of careline.toml. Pure but for reading the file.

Other sections belong to other processes and are taken as they are.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from drivers import settings
from drivers.care import CareConfig
from drivers.channel_text import channel_numbers, channel_text
from drivers.dahdi import plans as dahdi_plans
from drivers.dahdi.setup import CardSetup
from drivers.dial_plan import DialPlan
from drivers.errors import ConfigError
from drivers.group_rules import check_groups
from drivers.io import ChannelSpec, Signalling
from drivers.line_profiles import LearntTones, channels_of, load_learnt, profile_of
from drivers.numbers import GroupNumbers, NumberRules
from drivers.sets_check import check_ports, check_sets
from drivers.settings import Paths
from drivers.signalling.fxo_profile import LineProfile
from drivers.signalling.fxs_config import SetsConfig
from drivers.signalling.pri.config import PriConfig
from drivers.signalling.pri.config import check as check_pri
from drivers.signalling.r2 import R2Span
from drivers.signalling.r2.settings import check as check_r2
from drivers.span_plans import SpanPlan, check_plans
from drivers.virtual import plans as virtual_plans
from drivers.virtual.config import VirtualConfig

LINE_SETUP_FILE = "lines.toml"
LINE_SETUP_TRYING = f"{LINE_SETUP_FILE}.trying"

Hunting = Literal["up", "down", "round_robin", "least_used"]


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the media core (`[lines.engine]`). `max_ports` 0: as many as the card needs.

    record_ring_ms: audio of one recording kept while the disk is slow. flush_ms: how much of a recording a power cut may cost.
    write_ahead: blocks of 20 ms queued towards a card. realtime_priority: SCHED_FIFO, 0 for none.
    """

    max_ports: int = 0
    max_recordings: int = 512
    commands: int = 4096
    events: int = 8192
    record_ring_ms: int = 8000
    flush_ms: int = 500
    write_ahead: int = 4
    realtime_priority: int = 40
    digit_on_ms: int = 100
    digit_off_ms: int = 100
    digit_low_dbm0: float = -9.0  # low group level of sent DTMF. Source: GB/T 3378, -9 +-3 dBm
    digit_high_dbm0: float = -7.0


class GroupConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One trunk group (`[[lines.groups]]`). `channels` as "1-24,26"; `dnis`: the number callers dialled, where the line cannot tell.

    `profile`: which of `[[lines.profiles]]` its lines have; empty: `[lines.analog]`. incoming_only, outgoing_only: of its channels, in the
    same form. reserve: so many channels that take calls are left for incoming ones. overflow: groups tried, in this order, when none of
    its channels can be had. attempts_per_s: outgoing calls begun in any second, 0 for no limit; more of them wait up to attempts_wait_ms
    for their turn. Emergency numbers know neither reserve, limit nor direction.
    """

    name: str
    channels: str
    hunting: Hunting = "up"
    role: Literal["trunk", "extension"] = "trunk"
    dnis: str = ""
    profile: str = ""
    incoming_only: str = ""
    outgoing_only: str = ""
    reserve: int = 0
    overflow: tuple[str, ...] = ()
    attempts_per_s: int = 0
    attempts_wait_ms: int = 3000
    numbers_as: GroupNumbers = GroupNumbers()

    @property
    def numbers(self) -> tuple[int, ...]:
        """Channel numbers in the order written. Raises: ValueError."""
        return channel_numbers(self.channels)

    def carries_in(self, channel: int) -> bool:
        """True when that channel of the group takes incoming calls."""
        return not self.outgoing_only or channel not in channel_numbers(self.outgoing_only)

    def carries_out(self, channel: int) -> bool:
        return not self.incoming_only or channel not in channel_numbers(self.incoming_only)


class LineSetup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be set up from the web: these tables of `[lines]`, all of them. Kept in a file of its own (`LINE_SETUP_FILE` in data_dir),
    which goes before careline.toml."""

    spans: tuple[SpanPlan, ...] = ()
    groups: tuple[GroupConfig, ...] = ()
    pri: tuple[PriConfig, ...] = ()
    r2: tuple[R2Span, ...] = ()


class LinesConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Section `[lines]`. No group at all: one of the lines ("trunk") and one of the sets ("sets"). No span: used as the card's own
    section says.

    unattended_answer_ms: how long a caller hears ringing while no call agent is connected; then the box answers and plays
    `unattended_prompt` (a WAV file; empty: silence) until the call agent is back. 0: never.
    on_stop: "keep" leaves calls up for the next process, "release" ends them. socket_group: members may connect.
    analog, profiles, learnt: how lines of an exchange behave; `learnt` is read from a file of its own. sets, dial_plan: how telephone
    sets do, and what they can dial.
    """

    card: Literal["virtual", "dahdi"] = "virtual"
    country: str = "cn"
    spans: tuple[SpanPlan, ...] = ()
    groups: tuple[GroupConfig, ...] = ()
    analog: LineProfile = LineProfile()
    profiles: tuple[LineProfile, ...] = ()
    learnt: tuple[LearntTones, ...] = ()
    sets: SetsConfig = SetsConfig()
    pri: tuple[PriConfig, ...] = ()
    r2: tuple[R2Span, ...] = ()
    dial_plan: DialPlan = DialPlan()
    numbers: NumberRules = NumberRules()
    engine: EngineSettings = EngineSettings()
    care: CareConfig = CareConfig()
    virtual: VirtualConfig = VirtualConfig()
    dahdi: CardSetup = CardSetup()
    unattended_answer_ms: int = 8000
    unattended_prompt: str = ""
    on_stop: Literal["keep", "release"] = "keep"
    socket_group: str = ""
    native_bridge: bool = True
    max_unsent_kb: int = 4096
    max_kept_events: int = 1000

    def profile_of(self, channel: int, group: GroupConfig) -> LineProfile:
        """How that line of an exchange behaves."""
        return profile_of(channel, group.profile, self.analog, self.profiles, self.learnt)


class LinesFile(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file as the line server sees it."""

    paths: Paths = Paths()
    lines: LinesConfig = LinesConfig()
    calls: dict[str, Any] = {}
    console: dict[str, Any] = {}
    hospital: dict[str, Any] = {}
    network: dict[str, Any] = {}
    sms: dict[str, Any] = {}
    smdr: dict[str, Any] = {}
    smdi: dict[str, Any] = {}
    health: dict[str, Any] = {}
    web: dict[str, Any] = {}


def load(path: Path) -> LinesFile:
    """Read and check `path`.

    Raises: ConfigError CFG-001..004 (see drivers.settings), CFG-030 channels cannot be read, CFG-031 a channel in two groups, CFG-032 a
    group name given twice or empty, CFG-033 a group names a channel the card does not have, CFG-034 a number out of range, CFG-035 a
    profile name given twice or empty, CFG-036 a group names a profile that is not there, CFG-037 a channel in two profiles, CFG-060 to
    CFG-062 primary rate spans (see drivers.signalling.pri.config).
    """
    read = settings.load(path, LinesFile)
    check(read.lines, str(path))
    learnt = (*read.lines.learnt, *load_learnt(Path(read.paths.data_dir)))
    lines = with_setup(msgspec.structs.replace(read.lines, learnt=learnt), load_setup(Path(read.paths.data_dir)))
    return msgspec.structs.replace(read, lines=lines)


def load_setup(data_dir: Path, name: str = LINE_SETUP_FILE) -> LineSetup | None:
    """What was set up from the web, if anything was. Raises: ConfigError CFG-001..004."""
    path = data_dir / name
    return settings.load(path, LineSetup) if path.exists() else None


def with_setup(lines: LinesConfig, setup: LineSetup | None) -> LinesConfig:
    """Checked, and the card's own section as the spans say. Raises: ConfigError as `load`, CFG-090..097."""
    if setup is not None:
        lines = msgspec.structs.replace(lines, spans=setup.spans, groups=setup.groups, pri=setup.pri, r2=setup.r2)
        check(lines, LINE_SETUP_FILE)
    if lines.card == "virtual":
        return msgspec.structs.replace(lines, virtual=virtual_plans.planned(lines.virtual, lines.spans))
    return msgspec.structs.replace(lines, dahdi=dahdi_plans.planned(lines.dahdi, lines.spans))


def setup_of(lines: LinesConfig) -> LineSetup:
    """The part that can be set up from the web."""
    return LineSetup(spans=lines.spans, groups=lines.groups, pri=lines.pri, r2=lines.r2)


def check(lines: LinesConfig, file: str = "[lines]") -> None:
    """What the types alone cannot say. Raises: the first of `faults`."""
    for fault in faults(lines, file):
        raise fault


def faults(lines: LinesConfig, file: str = "[lines]") -> Iterator[ConfigError]:
    """What is wrong with the section by itself, of each part the first: ConfigError CFG-030..032, CFG-034..037, CFG-060..062, CFG-075,
    CFG-076, CFG-080..083, CFG-090..094, and CFG-045, CFG-046 of MFC/R2."""
    for part in PARTS:
        try:
            part(lines, file)
        except ConfigError as error:
            yield error


def check_card(lines: LinesConfig, specs: tuple[ChannelSpec, ...], file: str = "[lines]") -> None:
    """That the card has the channels the groups and the sets name. Raises: ConfigError CFG-033, CFG-077."""
    known = {spec.number for spec in specs}
    for at, group in enumerate(lines.groups):
        missing = [number for number in group.numbers if number not in known]
        if missing:
            what = f'{file}: lines.groups[{at}].channels = "{group.channels}": {_missing(missing)} not on the {lines.card} card'
            have = channel_text(sorted(known)) or "none: is the card there and its driver loaded?"
            raise ConfigError("CFG-033", what, f"Channels there are: {have}")
    check_ports(lines.sets, specs, file)


def _missing(numbers: list[int]) -> str:
    """As the subject of a sentence: "channel 7 is", "channels 7-9 are"."""
    text = channel_text(sorted(numbers))
    return f"channel {text} is" if len(numbers) == 1 else f"channels {text} are"


def usable(lines: LinesConfig, specs: tuple[ChannelSpec, ...]) -> tuple[LinesConfig, tuple[ConfigError, ...]]:
    """The configuration without the channels that the cards do not have just now (one may be pulled), and D-channels in groups; and what is
    wrong with it. Raises: ConfigError CFG-033 when no channel is left."""
    known = {spec.number for spec in specs if spec.signalling is not Signalling.DCHAN}
    faults: list[ConfigError] = []
    groups: list[GroupConfig] = []
    for group in lines.groups:
        missing = [number for number in group.numbers if number not in known]
        left = [number for number in group.numbers if number in known]
        if missing:
            what = f'group "{group.name}": the {lines.card} card has no channel {channel_text(missing)} that carries calls'
            faults.append(ConfigError("CFG-033", what, "Is the card plugged in and set up? They are taken as soon as they are there"))
        if left:
            groups.append(msgspec.structs.replace(group, channels=channel_text(left)) if missing else group)
    if lines.groups and not groups:
        check_card(lines, specs)
    return msgspec.structs.replace(lines, groups=tuple(groups)), tuple(faults)


def _check_groups(lines: LinesConfig, file: str) -> None:
    _check_names(lines, file)
    _check_channels(lines, file)
    check_groups(lines.groups, lines.numbers, file)


def _check_names(lines: LinesConfig, file: str) -> None:
    seen: set[str] = set()
    for at, group in enumerate(lines.groups):
        if not group.name or group.name in seen:
            raise ConfigError("CFG-032", f'{file}: lines.groups[{at}].name = "{group.name}"', "Give every group a name of its own")
        seen.add(group.name)


def _check_channels(lines: LinesConfig, file: str) -> None:
    owner: dict[int, str] = {}
    for at, group in enumerate(lines.groups):
        where = f'{file}: lines.groups[{at}].channels = "{group.channels}"'
        try:
            numbers = group.numbers
        except ValueError as error:
            raise ConfigError("CFG-030", f"{where}: {error}", 'Write numbers and ranges, as in "1-24,26"') from error
        for number in numbers:
            if number in owner:
                what = f"{where}: channel {number} is in group {owner[number]} already"
                raise ConfigError("CFG-031", what, "A channel belongs to one group, once")
            owner[number] = group.name


def _check_profiles(lines: LinesConfig, file: str) -> None:
    names: set[str] = set()
    owner: dict[int, str] = {}
    for at, profile in enumerate(lines.profiles):
        where = f"{file}: lines.profiles[{at}]"
        if not profile.name or profile.name in names:
            raise ConfigError("CFG-035", f'{where}.name = "{profile.name}"', "Give every profile a name of its own")
        names.add(profile.name)
        _check_profile_channels(profile, where, owner)
    for at, group in enumerate(lines.groups):
        if group.profile and group.profile not in names:
            have = ", ".join(sorted(names)) or "none: add [[lines.profiles]]"
            raise ConfigError("CFG-036", f'{file}: lines.groups[{at}].profile = "{group.profile}"', f"Profiles there are: {have}")


def _check_profile_channels(profile: LineProfile, where: str, owner: dict[int, str]) -> None:
    where = f'{where}.channels = "{profile.channels}"'
    try:
        numbers = channels_of(profile)
    except ValueError as error:
        raise ConfigError("CFG-030", f"{where}: {error}", 'Write numbers and ranges, as in "1-24,26"') from error
    for number in numbers:
        if number in owner:
            raise ConfigError("CFG-037", f"{where}: channel {number} has profile {owner[number]} already", "A channel has one profile")
        owner[number] = profile.name


def _check_ranges(lines: LinesConfig, file: str) -> None:
    engine = lines.engine
    limits = (
        ("lines.unattended_answer_ms", lines.unattended_answer_ms, 0, 600_000),
        ("lines.max_unsent_kb", lines.max_unsent_kb, 64, 65_536),
        ("lines.max_kept_events", lines.max_kept_events, 0, 100_000),
        ("lines.care.block_after_failures", lines.care.block_after_failures, 0, 1000),
        ("lines.care.unblock_after_min", lines.care.unblock_after_min, 0, 10_080),
        ("lines.engine.max_ports", engine.max_ports, 0, 1024),
        ("lines.engine.max_recordings", engine.max_recordings, 1, 4096),
        ("lines.engine.record_ring_ms", engine.record_ring_ms, 500, 60_000),
        ("lines.engine.flush_ms", engine.flush_ms, 50, 10_000),
        ("lines.engine.write_ahead", engine.write_ahead, 1, 15),
        ("lines.engine.realtime_priority", engine.realtime_priority, 0, 99),
        ("lines.engine.digit_on_ms", engine.digit_on_ms, 40, 1000),
        ("lines.engine.digit_off_ms", engine.digit_off_ms, 40, 1000),
        ("lines.engine.digit_low_dbm0", engine.digit_low_dbm0, -30, 0),
        ("lines.engine.digit_high_dbm0", engine.digit_high_dbm0, -30, 0),
    )
    settings.check_ranges(f"{file}: ", limits)
    for key, number in (("commands", engine.commands), ("events", engine.events)):
        if number < 64 or number & (number - 1):
            raise ConfigError("CFG-034", f"{file}: lines.engine.{key} = {number}", "Allowed are powers of two from 64")


PARTS: tuple[Callable[[LinesConfig, str], None], ...] = (
    lambda lines, file: check_plans(lines.spans, file),
    _check_groups,
    _check_profiles,
    _check_ranges,
    lambda lines, file: check_sets(lines.sets, file),
    lambda lines, file: check_pri(lines.pri, file),
    lambda lines, file: check_r2(lines.r2, file),
)
