"""How a span with MFC/R2 behaves: the `[[lines.r2]]` section and what its types alone cannot say. Pure."""

from typing import Literal

import msgspec

from drivers.channel_text import channel_numbers
from drivers.errors import ConfigError
from drivers.settings import check_ranges
from drivers.signalling.r2.variants import VARIANTS, Order, Variant, signal_for

MAX_DIGITS = 32
"""Of either number; more is no number. Source: E.164 has 15, the rest is for prefixes and codes."""


class R2Timers(msgspec.Struct, frozen=True, kw_only=True):
    """Times of MFC/R2 in ms (`[lines.r2.timers]`).

    bits_ms: bits that hold for less are noise (Q.422 clause 3.1: 20). seize_ack_ms: for the far side's acknowledgement. forward_signal_ms,
    forward_silence_ms: T1 and T2 of the calling side, next_signal_ms: T3 of the called side (Q.476). end_of_number_ms: after it a number
    without fixed length or end signal is complete. early_ms: a signal of ours can have no effect sooner; what seems so is an interruption.
    pulse_ms: backward signals sent without a forward one (Q.442).
    accept_ms: how long a call waits for the call agent before the far side is told that the line is free. answer_delay_ms: from the last
    register signal to the answer. release_guard_ms: between two calls (Q.422 clause 3.2.2: 100). clearing_ms: for the far side to become
    idle; then the channel counts as blocked by it. first_answer_ms, answer_gap_ms: of a double answer. busy_tone_ms: how long a caller who
    stays on hears that the call is over.
    """

    bits_ms: int = 20
    seize_ack_ms: int = 2000
    forward_signal_ms: int = 15_000
    forward_silence_ms: int = 24_000
    next_signal_ms: int = 15_000
    end_of_number_ms: int = 4000
    early_ms: int = 30
    pulse_ms: int = 150
    accept_ms: int = 2000
    answer_delay_ms: int = 150
    release_guard_ms: int = 100
    clearing_ms: int = 10_000
    first_answer_ms: int = 1000
    answer_gap_ms: int = 2000
    busy_tone_ms: int = 30_000


class R2Span(msgspec.Struct, frozen=True, kw_only=True):
    """One span, or some channels of it (`[[lines.r2]]`).

    span: its number on the card; 0: every one with `cas` channels that no other section names. channels: "1-15,17-31", the card's numbers;
    empty: all of the span. dnis_length: digits of the called number; 0: unknown (end signal or end_of_number_ms). ani, category: ask for
    the calling number (it comes with a category), for the category alone. ani_length: digits of it; 0: to its end signal. ani_after: ask
    for the caller after so many digits of the called number; 0: after all. own_category: what we say of ourselves when calling. charge:
    calls to us cost the caller. group_b: False: accept with A6 without group B. forced_release: hang up with a forced release, also before
    the answer. double_answer: answer, hang up, answer again, which collect calls do not survive. metering_ms: see Variant; -1: the
    country's.
    """

    span: int = 0
    channels: str = ""
    variant: Literal["cn", "itu", "mx", "br", "ar"] = "cn"
    dnis_length: int = 0
    ani: bool = True
    ani_length: int = 0
    ani_after: int = 0
    category: bool = True
    own_category: str = "ordinary"
    charge: bool = True
    group_b: bool = True
    forced_release: bool = False
    double_answer: bool = False
    metering_ms: int = -1
    timers: R2Timers = R2Timers()

    @property
    def rules(self) -> Variant:
        return VARIANTS[self.variant]

    @property
    def charge_pulse_ms(self) -> int:
        return self.rules.metering_ms if self.metering_ms < 0 else self.metering_ms


def span_of(spans: tuple[R2Span, ...], channel: int, span: int) -> R2Span:
    """The section for a channel of that span: one that names the channel, then the span, then any; China's without one."""
    named = [each for each in spans if each.channels and channel in channel_numbers(each.channels)]
    whole = [each for each in spans if not each.channels and each.span in (span, 0)]
    found = named or sorted(whole, key=lambda each: each.span == 0)
    return found[0] if found else R2Span()


def check(spans: tuple[R2Span, ...], file: str = "[lines]") -> None:
    """Raises: ConfigError CFG-034 a number out of range, CFG-045 what the variant cannot do, CFG-046 a span named twice without
    channels."""
    for at, span in enumerate(spans):
        where = f"{file}: lines.r2[{at}]"
        _check_ranges(span, where)
        _check_variant(span, where)
    _check_once(spans, file)


def _check_ranges(span: R2Span, where: str) -> None:
    limits = [
        ("span", span.span, 0, 128),
        ("dnis_length", span.dnis_length, 0, MAX_DIGITS),
        ("ani_length", span.ani_length, 0, MAX_DIGITS),
        ("ani_after", span.ani_after, 0, MAX_DIGITS),
        ("metering_ms", span.metering_ms, -1, 5000),
    ]
    lowest = {"bits_ms": 0, "early_ms": 0, "answer_delay_ms": 0, "pulse_ms": 100}
    limits += [(f"timers.{name}", getattr(span.timers, name), lowest.get(name, 20), 120_000) for name in span.timers.__struct_fields__]
    check_ranges(f"{where}.", limits)


def _check_variant(span: R2Span, where: str) -> None:
    rules = span.rules
    wrong = ""
    remedy = "Leave the key out"
    if span.own_category not in rules.categories.values():
        wrong, remedy = (
            f'own_category = "{span.own_category}"',
            f"{rules.country} has {', '.join(dict.fromkeys(rules.categories.values()))}",
        )
    elif not span.group_b and not signal_for(rules.a, Order.SET_UP):
        wrong = "group_b = false"
    elif not span.charge and not signal_for(rules.b, Order.FREE_OF_CHARGE):
        wrong = "charge = false"
    elif span.ani_after and rules.back_to_a == "end" and (not span.ani or span.ani_length):
        wrong, remedy = (
            f"ani_after = {span.ani_after}",
            "It takes ani and no ani_length: the end of one number leads back to the other",
        )
    elif span.dnis_length and span.ani_after > span.dnis_length:
        wrong, remedy = f"ani_after = {span.ani_after}", f"dnis_length is {span.dnis_length}"
    if wrong:
        raise ConfigError("CFG-045", f'{where}: {wrong} does not go with variant = "{span.variant}"', remedy)


def _check_once(spans: tuple[R2Span, ...], file: str) -> None:
    seen: dict[str, int] = {}
    for at, span in enumerate(spans):
        where = f"{file}: lines.r2[{at}]"
        try:
            names = [f"channel {number}" for number in channel_numbers(span.channels)] if span.channels else [f"span {span.span}"]
        except ValueError as error:
            raise ConfigError("CFG-030", f'{where}.channels = "{span.channels}": {error}', 'Write "1-15,17-31"') from error
        for name in names:
            if name in seen:
                raise ConfigError("CFG-046", f"{where} names {name}, which lines.r2[{seen[name]}] has", "Name each once")
            seen[name] = at
