"""What the card in software consists of (`[lines.virtual]`): spans, telephone numbers, outside telephones, sets. Pure structs."""

from enum import StrEnum
from typing import Literal

import msgspec

from drivers.io import Signalling
from drivers.signalling.fxo_profile import LineTones

E1_TIMESLOTS = 31  # beside slot 0, which frames. Source: ITU-T G.704 clause 2.3
E1_SIGNALLING_TIMESLOT = 16
MAX_CHANNELS = 480
DEFAULT_NUMBER = "01088886666"
LEAST_VISITORS = 32
FXS_SIGNALLING = (Signalling.FXSKS, Signalling.FXSLS)
FXO_SIGNALLING = (Signalling.FXOKS, Signalling.FXOLS)


def _check_number(number: str) -> None:
    if not number or not set(number) <= set("0123456789*#"):
        raise ValueError(f"{number!r} is no telephone number: digits, * and # only")


class SpanKind(StrEnum):
    """fxo: ports that lead to the exchange; fxs: ports with sets on them; e1: 30 lines to the exchange signalled as fxo (a channel bank).
    pri: 30 B-channels and a D-channel; cas: 30 channels with ABCD bits; who signals at their far end is put there by a program
    (`VirtualCard.far`)."""

    FXO = "fxo"
    FXS = "fxs"
    E1 = "e1"
    PRI = "pri"
    CAS = "cas"


DIGITAL = (SpanKind.PRI, SpanKind.CAS)
E1_KINDS = (SpanKind.E1, *DIGITAL)


class Answering(StrEnum):
    """What a telephone does when it rings. reject: rings, and then does not want the call. command: waits for somebody to say `answer`."""

    REJECT = "reject"
    ANSWER = "answer"
    BUSY = "busy"
    NEVER = "never"
    COMMAND = "command"


class Hunting(StrEnum):
    """Which free line of a number is rung: the first, or the one that has been free longest."""

    LINEAR = "linear"
    LONGEST_FREE = "longest_free"


class SpanConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One span. `channels` counts for fxo and fxs; e1, pri and cas always have 30.

    For fxo and e1: `supervised`: the exchange drops the battery when the other side hangs up (kewl start); without it the box hears the
    busy tone only (loop start). `reverses_polarity`: it turns the polarity of the loop round while a called party talks.
    caller_id: how lines are told who calls, caller_id_at: after the first ring, or before it, announced by a reversal of the loop or not.
    transfers: the lines are extensions of a switch, which holds, calls and hands over by hook flash.
    For cas: `idle_bits` (ABCD) are sent by an end that is not open.
    For pri and cas: `exchange`: the exchange signals at their far end, and numbers can lead there.
    """

    kind: SpanKind
    channels: int = 4
    name: str = ""
    supervised: bool = True
    reverses_polarity: bool = False
    caller_id: Literal["none", "bell202", "v23", "dtmf"] = "bell202"
    caller_id_at: Literal["first_ring", "polarity", "unannounced"] = "first_ring"
    transfers: bool = False
    idle_bits: str = "1101"
    exchange: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.channels <= 120:
            raise ValueError(f"channels must be 1 to 120, not {self.channels}")
        if len(self.idle_bits) != 4 or not set(self.idle_bits) <= {"0", "1"}:
            raise ValueError(f"idle_bits must be four bits ABCD such as 1101, not {self.idle_bits!r}")

    @property
    def is_digital(self) -> bool:
        """Signalled by frames or bits rather than by a loop."""
        return self.kind in DIGITAL

    @property
    def leads_to_exchange(self) -> bool:
        """Calls come and go on it."""
        return self.kind in (SpanKind.FXO, SpanKind.E1) or (self.is_digital and self.exchange)

    @property
    def timeslots(self) -> tuple[int, ...]:
        """Timeslots that carry speech; the channel's number is the span's base + this."""
        if self.kind in E1_KINDS:
            return tuple(slot for slot in range(1, E1_TIMESLOTS + 1) if slot != E1_SIGNALLING_TIMESLOT)
        return tuple(range(1, self.channels + 1))

    @property
    def size(self) -> int:
        """Channel numbers this span takes, silent ones included."""
        return E1_TIMESLOTS if self.kind in E1_KINDS else self.channels

    @property
    def signalling(self) -> Signalling:
        """Of its speech channels."""
        if self.kind is SpanKind.PRI:
            return Signalling.BCHAN
        if self.kind is SpanKind.CAS:
            return Signalling.CAS
        if self.kind is SpanKind.FXS:
            return Signalling.FXOKS if self.supervised else Signalling.FXOLS
        return Signalling.FXSKS if self.supervised else Signalling.FXSLS


class NumberConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A telephone number of the box: calls to it hunt the lines of `spans`, then `channels`, in that order."""

    number: str
    spans: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _check_number(self.number)
        if not self.spans and not self.channels:
            raise ValueError(f"number {self.number} leads to no span and no channel")


class TelephoneConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A telephone of the outside world that the box can call; `say` is a WAV file spoken after answering."""

    number: str
    answering: Answering = Answering.ANSWER
    after_ms: int = 2000
    say: str = ""

    def __post_init__(self) -> None:
        _check_number(self.number)


class SetConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The set on one FXS port; a port that is not named has a set that answers on command."""

    channel: int
    answering: Answering = Answering.ANSWER
    after_ms: int = 2000
    say: str = ""


class VirtualConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The whole card and the world beyond it. Spans are numbered from 1 in the order given. Without `numbers` one,
    DEFAULT_NUMBER, leads to every line. No span at all: as a box without a card.

    `ring_limit_ms`: how long the exchange lets a telephone ring. `first_digit_ms`, `next_digit_ms`: its patience while the box dials.
    `setup_ms`: from the last digit to the first ring. `visitors`: telephones that come to call and go again; 0: enough for every line.
    `tones`: those of the exchange that are not the country's.
    """

    spans: tuple[SpanConfig, ...] = (SpanConfig(kind=SpanKind.FXO), SpanConfig(kind=SpanKind.FXS, channels=2))
    numbers: tuple[NumberConfig, ...] = ()
    telephones: tuple[TelephoneConfig, ...] = ()
    sets: tuple[SetConfig, ...] = ()
    hunting: Hunting = Hunting.LINEAR
    ring_limit_ms: int = 60_000
    setup_ms: int = 200
    first_digit_ms: int = 15_000
    next_digit_ms: int = 4_000
    visitors: int = 0
    tones: LineTones = LineTones()

    def __post_init__(self) -> None:
        if sum(span.size for span in self.spans) > MAX_CHANNELS:
            raise ValueError(f"the spans must have at most {MAX_CHANNELS} channels together")
        self._check_numbers()
        self._check_sets()

    def span_channels(self, span: int) -> tuple[int, ...]:
        """Numbers of the speech channels of that span. Raises: IndexError when there is no such span."""
        return tuple(self.first_channel(span) + slot - 1 for slot in self.spans[span - 1].timeslots)

    def first_channel(self, span: int) -> int:
        """Number that its timeslot 1 has."""
        return 1 + sum(each.size for each in self.spans[: span - 1])

    def numbers_of_box(self) -> tuple[NumberConfig, ...]:
        """`numbers`, or the one there is when none is given."""
        trunks = tuple(index for index, span in enumerate(self.spans, 1) if span.leads_to_exchange)
        default = (NumberConfig(number=DEFAULT_NUMBER, spans=trunks),) if trunks else ()
        return self.numbers or default

    def channels_of(self, number: NumberConfig) -> tuple[int, ...]:
        """The lines a telephone number hunts, in order, each once."""
        by_span = (channel for span in number.spans for channel in self.span_channels(span))
        return tuple(dict.fromkeys((*by_span, *number.channels)))

    def lines_needed(self) -> int:
        """Virtual lines the media core must have room for, that from the box to itself among them."""
        return 1 + sum(len(span.timeslots) for span in self.spans) + len(self.telephones) + self.visitors_allowed()

    def visitors_allowed(self) -> int:
        return self.visitors or max(LEAST_VISITORS, sum(len(span.timeslots) for span in self.spans))

    def ports_needed(self) -> int:
        """Media ports of the far side at worst: an exchange port and a telephone for each line."""
        return 2 * self.lines_needed()

    def _channels(self, *kinds: SpanKind) -> set[int]:
        wanted = (index for index, span in enumerate(self.spans, 1) if span.kind in kinds)
        return {channel for span in wanted for channel in self.span_channels(span)}

    def _check_numbers(self) -> None:
        seen = [each.number for each in self.numbers] + [each.number for each in self.telephones]
        twice = {number for number in seen if seen.count(number) > 1}
        if twice:
            raise ValueError(f"telephone number {min(twice)} is given twice")
        leading = (index for index, span in enumerate(self.spans, 1) if span.leads_to_exchange)
        trunks = {channel for span in leading for channel in self.span_channels(span)}
        for number in self.numbers:
            if any(not 1 <= span <= len(self.spans) for span in number.spans):
                raise ValueError(f"number {number.number} names a span that does not exist")
            wrong = set(self.channels_of(number)) - trunks
            if wrong:
                raise ValueError(f"number {number.number} leads to channel {min(wrong)}, which is no line to the exchange")

    def _check_sets(self) -> None:
        wrong = {each.channel for each in self.sets} - self._channels(SpanKind.FXS)
        if wrong:
            raise ValueError(f"a set is given for channel {min(wrong)}, which is no FXS port")
        if any(each.answering is Answering.BUSY for each in self.sets):
            raise ValueError("a set has no answering `busy`: it is busy while it is off-hook")
