"""Configuration of a primary rate span (`[[lines.pri]]`). Pure structs; knows nothing of libpri."""

from collections.abc import Mapping
from itertools import chain
from typing import Literal

import msgspec

from drivers.channel_text import channel_numbers
from drivers.errors import ConfigError
from drivers.io import ChannelSpec, Signalling
from drivers.settings import check_ranges

Switch = Literal["euroisdn", "euroisdn_t1", "qsig", "ni1", "ni2", "dms100", "5ess", "4ess"]
NumberType = Literal["unknown", "international", "national", "subscriber", "abbreviated"]
NumberPlan = Literal["unknown", "isdn", "national", "private"]
TIMERS = (
    "T200",
    "T203",
    "N200",
    "K",
    "T303",
    "T305",
    "T308",
    "T313",
)  # those of libpri that a call or the link needs; T309 is keep_calls_ms


class PriConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A D-channel and its B-channels, all by their number on the card (`channels` as "1-15,17-31"; empty: all B-channels of the span).

    span, d_channel: which one it is about; with neither: every one that no other section names.
    side: which one we are; the network gives the numbers of channels when both want one.
    overlap_receive: callers' digits may come one by one; the number is complete after dnis_digits (0: unknown), after "sending complete",
    or when none came for digit_wait_ms. overlap_send: digits of ours after the first `first_digits` go one by one, if the switch asks.
    called_type, caller_type, *_plan: how our numbers are marked. caller_number: told when the call itself has none. hide_number: the called
    party shall not see it. national_prefix, international_prefix: put before a caller's number of that type, unless it is there.
    keep_calls_ms: how long calls outlive the D-channel (T309). restart: B-channels are restarted when this process begins.
    service_messages: blocking is told to the far side, where the switch knows how (ni2, dms100, 5ess, 4ess).
    transfer: the switch can join two calls and release both channels. alert_after_ms: a call offered for so long is told to ring (0: only
    when the call agent says so).
    timers: others of libpri by their names, in ms or times, as in {T303 = 4000, N200 = 3}.
    """

    span: int = 0
    d_channel: int = 0
    channels: str = ""
    switch: Switch = "euroisdn"
    side: Literal["user", "network"] = "user"
    overlap_receive: bool = False
    dnis_digits: int = 0
    digit_wait_ms: int = 5000
    overlap_send: bool = False
    first_digits: int = 0
    called_type: NumberType = "unknown"
    called_plan: NumberPlan = "isdn"
    caller_type: NumberType = "unknown"
    caller_plan: NumberPlan = "isdn"
    caller_number: str = ""
    hide_number: bool = False
    national_prefix: str = "0"
    international_prefix: str = "00"
    keep_calls_ms: int = 90_000
    restart: bool = True
    service_messages: bool = False
    transfer: bool = False
    alert_after_ms: int = 100
    timers: dict[str, int] = {}


def check(spans: tuple[PriConfig, ...], file: str = "[lines]") -> None:
    """Raises: ConfigError CFG-030 channels cannot be read, CFG-034 a number out of range, CFG-060 a channel in two sections or a D-channel
    among B-channels, CFG-061 a span or D-channel in two sections, CFG-062 a timer libpri does not have."""
    owner: dict[int, int] = {}
    links: set[tuple[int, int]] = set()
    for at, span in enumerate(spans):
        where = f"{file}: lines.pri[{at}]"
        _check_ranges(span, where)
        _check_channels(span, where, at, owner)
        link = (span.span, span.d_channel)
        if link in links:
            raise ConfigError("CFG-061", f"{where}: span {span.span}, D-channel {span.d_channel} is there twice", "Give it one section")
        links.add(link)


def config_of(link: ChannelSpec, spans: tuple[PriConfig, ...]) -> PriConfig:
    """The section that names this D-channel, or its span, or nothing at all; else the defaults."""
    by_channel = (span for span in spans if span.d_channel == link.number)
    by_span = (span for span in spans if not span.d_channel and span.span == link.span)
    for_all = (span for span in spans if not span.d_channel and not span.span)
    return next(chain(by_channel, by_span, for_all), PriConfig())


def numbers_of(config: PriConfig, link: ChannelSpec, specs: Mapping[int, ChannelSpec]) -> set[int]:
    """B-channels this D-channel serves: those the section names, or all of its span."""
    there = {spec.number for spec in specs.values() if spec.signalling is Signalling.BCHAN and spec.span == link.span}
    return there & set(channel_numbers(config.channels)) if config.channels else there


def _check_ranges(span: PriConfig, where: str) -> None:
    limits = (
        ("span", span.span, 0, 128),
        ("d_channel", span.d_channel, 0, 1024),
        ("dnis_digits", span.dnis_digits, 0, 32),
        ("first_digits", span.first_digits, 0, 32),
        ("digit_wait_ms", span.digit_wait_ms, 500, 30_000),
        ("keep_calls_ms", span.keep_calls_ms, 1000, 600_000),
        ("alert_after_ms", span.alert_after_ms, 0, 10_000),
    )
    check_ranges(f"{where}.", limits)
    for name, value in span.timers.items():
        if name not in TIMERS or not 0 <= value <= 600_000:
            raise ConfigError("CFG-062", f"{where}.timers.{name} = {value}", f"Allowed are {', '.join(TIMERS)}, 0 to 600000")


def _check_channels(span: PriConfig, where: str, at: int, owner: dict[int, int]) -> None:
    try:
        numbers = channel_numbers(span.channels) if span.channels else ()
    except ValueError as error:
        raise ConfigError(
            "CFG-030", f'{where}.channels = "{span.channels}": {error}', 'Write numbers and ranges, as in "1-15,17-31"'
        ) from error
    for number in numbers:
        if number == span.d_channel:
            raise ConfigError("CFG-060", f"{where}: channel {number} is the D-channel", "Leave it out of channels")
        if owner.setdefault(number, at) != at:
            raise ConfigError(
                "CFG-060", f"{where}: channel {number} is in lines.pri[{owner[number]}] already", "A channel belongs to one span"
            )
