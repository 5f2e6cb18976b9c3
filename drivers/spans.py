"""Channels: where a card's channel, its signalling and its media port meet. Line server's event loop only.

Events of the card go into the signaller; what it asks for is done by `drivers.channel_actions`. A channel in alarm has no call and takes
none until the alarm is cleared.
"""

import asyncio
import logging

from drivers.alarms import NOT_OPEN, REMOVED, Alarms
from drivers.audio_path import AudioPath
from drivers.caller_ids import CallerIdSide
from drivers.care import ChannelCare
from drivers.cas import BitsSide
from drivers.channel_actions import ChannelActions
from drivers.config import GroupConfig
from drivers.errors import LineError
from drivers.exchange_lines import ExchangeLine
from drivers.io import ChannelIO, ChannelSpec, Hook, LineEvent, Signalling
from drivers.links import Find, perform
from drivers.ports import Port
from drivers.protocol import BlockedBy, Cause, ChannelState, LegPhase, NumberPlan
from drivers.sets import SETS, SetSide
from drivers.signalling import (
    Action,
    AnswerWanted,
    BlockWanted,
    CallWanted,
    Input,
    LineFailed,
    LineHappened,
    MfHeard,
    NumberSent,
    ReleaseWanted,
    Signaller,
    Step,
    ToneHeard,
)
from drivers.signalling.fxo import FxsSignalled
from drivers.signalling.fxs import FxoSignalled
from drivers.sinks import CallSink, Tester

log = logging.getLogger("careline.lines")

# Signalling that can tell the far side that a channel takes no calls.
_TELLS_BLOCKS = frozenset({Signalling.BCHAN, Signalling.CAS})


class Channel:
    """One channel with everything that belongs to it. `leg` is the call on it, set by the CallSink; `test`: whoever tests it now."""

    def __init__(
        self,
        spec: ChannelSpec,
        group: GroupConfig,
        io: ChannelIO | None,
        signaller: Signaller,
        port: Port,
        sink: CallSink,
        find: Find,
        care: ChannelCare,
        flash_limit_ms: int = 1000,
    ) -> None:
        self.spec = spec
        self.number = spec.number
        self.group = group
        self.io = io
        self.port = port
        self.leg: str | None = None
        self.reserved = False
        self.far_blocked = False
        self.care = care
        self.test: Tester | None = None
        self._signaller = signaller
        self._sink = sink
        self._find = find
        self._signalling = spec.signalling.value  # an enum's value is slow to read, and `state` is asked every second
        self._alarms = Alarms(() if io else NOT_OPEN)
        self.audio = AudioPath(self)
        self.caller_id = CallerIdSide(self)
        self._actions = ChannelActions(self, sink)
        self.set = SetSide(self, sink, flash_limit_ms) if spec.signalling in SETS else None
        self.bits = BitsSide(self) if spec.signalling is Signalling.CAS else None
        self.line = ExchangeLine(self, sink, signaller) if isinstance(signaller, FxsSignalled) else None

    @property
    def alarms(self) -> tuple[str, ...]:
        return self._alarms.all

    def state(self) -> ChannelState:
        alarms = self.alarms
        return ChannelState(
            number=self.number,
            name=self.spec.name,
            span=self.spec.span,
            group=self.group.name,
            signalling=self._signalling,
            leg=self.leg,
            blocked=self.care.blocked,
            alarms=(*alarms, "offhook") if self.set and self.set.left_off_hook else alarms,
            last_cause=self.care.last_cause,
            failures=self.care.failures,
            state=self._signaller.state_name(self.number),
            blocked_by=self.care.blocked_by,
            far_blocked=self.far_blocked,
            calls=self.care.calls,
            failures_in_a_row=self.care.failures_in_a_row,
            last_call_at=self.care.last_call_at,
            test=self.test.kind if self.test else "",
        )

    @property
    def calls(self) -> int:
        """So many so far, for hunting."""
        return self.care.calls

    @property
    def rings_for_s(self) -> float:
        """Since the call that is on it began to ring, or was offered."""
        since_s = self._actions.rings_since_s
        return 0.0 if since_s is None else asyncio.get_running_loop().time() - since_s

    def accepts_calls(self) -> bool:
        return not self.care.blocked and not self.alarms and self.test is None

    def is_free(self) -> bool:
        return self.accepts_calls() and not self.far_blocked and self.is_quiet()

    def is_testable(self) -> bool:
        """A digital one also while its far side blocks it or its link is down: that may be why it is tested."""
        unused = self.leg is None and not self.reserved and self.test is None
        return unused and (self.spec.signalling in _TELLS_BLOCKS or self._signaller.is_idle(self.number))

    def is_quiet(self) -> bool:
        """No call on it, none coming."""
        return not self.reserved and self.leg is None and self._signaller.is_idle(self.number)

    # --- what the server wants -----------------------------------------------------------------------------------

    def seize(self, wanted: CallWanted) -> None:
        """Call out. The channel was reserved; the outcome comes through the CallSink."""
        self.reserved = False
        self._actions.rings_since_s = None
        self.care.began()
        self.audio.open()
        self.tell(wanted)

    def answer(self) -> None:
        self.tell(AnswerWanted())

    def release(self, cause: int) -> None:
        self.tell(ReleaseWanted(cause))

    def block(self, by: BlockedBy) -> None:
        """No new call from now on, or (NOBODY) again; a call that is there goes on."""
        if self.care.block(by):
            self.blocked_changed()

    def blocked_changed(self) -> None:
        """Tell the far side, where the signalling can, and whoever looks."""
        if self.spec.signalling in _TELLS_BLOCKS:
            self.tell(BlockWanted(self.care.blocked or self.test is not None))
        self._sink.channel_changed(self)

    def follow(self, heard: bool) -> None:
        """Let the media core have the audio, or (joined in the card) leave it alone; not where tones tell that the far side hangs up."""
        if heard or self._actions.tones:
            self.audio.open()
        else:
            self.audio.leave()

    def regroup(self, group: GroupConfig, plan: NumberPlan) -> None:
        """The rules of its group, and what can be dialled at a set, from now on."""
        self.group = group
        if isinstance(self._signaller, FxoSignalled):
            self._signaller.plan = plan

    def lend(self, test: Tester) -> None:
        """To a test that drives it by `io` and `port`; the channel must be quiet."""
        self.test = test
        self.audio.open()
        self.blocked_changed()

    def rest_after_test(self) -> None:
        """On-hook and silent, but what the line still tells is the test's."""
        self.rest()
        self.audio.end()

    def take_back(self) -> None:
        """For calls again."""
        self.test = None
        self._look_at_set()
        self.blocked_changed()

    def adopt(self, phase: LegPhase) -> None:
        """Take over the call of an earlier process; the CallSink hears CallReleased if that cannot be done."""
        self.care.began()
        self.audio.open()
        self._look_at_bits()
        self.carry_out(self._signaller.adopt(self.number, phase))

    def fail(self, cause: int) -> None:
        """The card, the port or the loop is out of order: end the call or the test at once."""
        if self.test:
            self.test.channel_failed()
        self.tell(LineFailed(cause, self.is_gone))
        if self.set and not self.alarms:
            self.set.opened()

    def opened(self, io: ChannelIO) -> None:
        """The card is back: a fresh channel in place of the one that went with it."""
        self.io = io
        self.audio.lost()
        self._alarm_changed(own=())
        self.begin()

    @property
    def is_gone(self) -> bool:
        """Its card was pulled, or it could not be opened."""
        return self._alarms.is_gone

    def rest(self) -> None:
        """Without a call: on-hook, whatever an earlier process left behind; bits are told by `begin`."""
        if self.bits is None:
            self._actions.hook(Hook.ON)

    def begin(self) -> None:
        """The channel's first moment: a set can be lifted already, bits of an E1 have never been told either way."""
        self._look_at_set()
        if self.bits:
            self.bits.look()
            self.tell(BlockWanted(self.care.blocked))

    # --- what the card and the media core say ---------------------------------------------------------------------

    def on_line_event(self, event: LineEvent) -> None:
        log.debug("channel %d, %s: %s", self.number, self._signaller.state_name(self.number), event.name)
        match event:
            case LineEvent.ALARM | LineEvent.NOALARM if self.is_gone:
                log.debug("channel %d: %s of a channel that is gone", self.number, event.name)
            case LineEvent.ALARM:
                self._alarm_changed(own=("red",))
            case LineEvent.NOALARM:
                self._alarm_changed(own=())
            case LineEvent.REMOVED:
                self._alarm_changed(own=REMOVED)
            case LineEvent.BITSCHANGED if self.bits:
                self.bits.look()
            case LineEvent.READ_OVERRUN | LineEvent.WRITE_UNDERRUN if self.bits:
                self.bits.sound_lost()
            case _ if self.test:
                self.test.line_event(event)
            case LineEvent.DIALCOMPLETE if self.line:
                self.line.on_dial_complete()
            case _:
                self.tell(LineHappened(event))

    def on_span_alarms(self, alarms: tuple[str, ...]) -> None:
        self._alarm_changed(span=alarms)

    def on_number_sent(self) -> None:
        """The media core has sent the number of DialNumber."""
        self.tell(NumberSent())

    def on_tone(self, tone: str, on: bool) -> None:
        """A tone the media core heard; only what the signaller asked for is passed on."""
        if self.test:
            self.test.tone(tone, on)
        elif tone in self._actions.tones:
            self.tell(ToneHeard(tone, on))

    def on_digit(self, digit: str) -> bool:
        """A key; True when it is part of a number that is being dialled at a set."""
        return self.set is not None and self.set.takes(digit)

    def the_set(self) -> SetSide:
        """Raises: LineError LIN-091 when the channel has none."""
        if self.set is None:
            raise LineError("LIN-091", f"channel {self.number} is no telephone set", "Name a channel of an FXS port")
        return self.set

    def on_mf(self, signal: str) -> None:
        """The media core heard a register signal begin, or (empty) end."""
        log.debug("channel %d, %s: %s", self.number, self._signaller.state_name(self.number), f"signal {signal}" if signal else "silence")
        self.tell(MfHeard(signal))

    def close(self) -> None:
        """Stop timers, leave the call as it is."""
        self._actions.close()
        self.caller_id.close()
        if self.set:
            self.set.close()

    # --- inside ----------------------------------------------------------------------------------------------------

    def tell(self, event: Input) -> None:
        """One event into the signaller; what it asks for is done."""
        self.carry_out(self._signaller.handle(self.number, event))

    def carry_out(self, steps: tuple[Step, ...]) -> None:
        """Do what a signaller asked for, in order; what cannot be done is logged."""
        perform(steps, self._find)

    def perform(self, action: Action) -> None:
        """Do one thing a signaller asked for. Raises: LineError, MediaError when the card or the media core refuses."""
        self._actions.perform(action)

    def _look_at_set(self) -> None:
        if self.set:
            self.set.opened()
        if self.line:
            self.line.rested()

    def _look_at_bits(self) -> None:
        if self.bits:
            self.bits.look()

    def _alarm_changed(self, span: tuple[str, ...] | None = None, own: tuple[str, ...] | None = None) -> None:
        if not self._alarms.change(span, own):
            return
        if self.alarms:
            self.fail(Cause.NETWORK_OUT_OF_ORDER)
        else:
            self._look_at_set()
            self._look_at_bits()
        log.warning("LIN-064 channel %d: %s", self.number, f"alarm {' '.join(self.alarms)}" if self.alarms else "alarm cleared")
        self._sink.channel_changed(self)

    def io_failed(self, error: LineError) -> None:
        """The card refused: whatever call there is ends."""
        log.error("%s channel %d: %s. %s", error.code, self.number, error.what, error.remedy)
        asyncio.get_running_loop().call_soon(self._give_up)

    def _give_up(self) -> None:
        if self.test or not self._signaller.is_idle(self.number):
            self.fail(Cause.TEMPORARY_FAILURE)
        else:
            self.care.failed(bool(self.alarms))
