"""One leg as the call agent sees it: the line server's LegState kept up to date by events.

Verbs wait for states, not for events (`wait(lambda leg: ...)`), so a leg that comes from a snapshot after a crash
serves them as well as one whose events were all seen. Runs in the call agent's event loop.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from appliance.errors import CallError
from drivers.protocol import (
    Alerting,
    Answered,
    Bridged,
    CommandFailed,
    Conferred,
    Digit,
    DigitPress,
    DigitsSent,
    Direction,
    Event,
    HookFlashed,
    LegPhase,
    LegState,
    NumberDialled,
    NumberSource,
    PlayDone,
    PlayEnd,
    PlayState,
    RecordingDone,
    RecordingGap,
    RecordingState,
    Released,
    SilenceBegan,
    SpeechBegan,
    ToneDetected,
    Transferred,
    TransferState,
    Unbridged,
)

log = logging.getLogger("careline.call")

STOOD_STILL_S = 0.5
CATCH_UP_S = 1.0

OFFERED, DIALLING, ALERTING = LegPhase.OFFERED, LegPhase.DIALLING, LegPhase.ALERTING
ANSWERED, RELEASED = LegPhase.ANSWERED, LegPhase.RELEASED


class Leg:
    """Everything known of one leg; changed only by `apply`."""

    def __init__(self, state: LegState) -> None:
        self.name = state.leg
        self.channel: int | None = state.channel
        self.group = state.group
        self.direction = state.direction
        self.ani = state.ani
        self.caller = state.caller
        self.is_set = state.caller is not None and state.caller.source is NumberSource.SET
        self.dnis = state.dnis
        self.offered_at = state.offered_at
        self.phase = state.phase
        self.answered_at = state.answered_at
        self.released_at = state.released_at
        self.cause = state.cause
        self.by_far_end = state.released_by_far_end
        self.digits: list[DigitPress] = list(state.digits)
        self.digits_masked = state.digits_masked
        self.asks_secret = False
        self.secret_digits: list[DigitPress] = []  # in no snapshot, and never shown
        self.play = state.play
        self.recordings = {recording.recording_id: recording for recording in state.recordings}
        self.recording_errors: dict[str, str] = {}
        self.unwritten: set[str] = set()  # recordings the disk has refused
        self.bridged_with = state.bridged_with
        self.native = state.native
        self.conference = state.conference
        self.transfer = state.transfer
        self.quiet_ms = 0
        self.spoke = False
        self.flashes = 0  # of the hook, so many since the leg was answered; of a set only
        self.collected: NumberDialled | None = None  # what the last CollectNumber came to
        self.sharer: Any = None  # another call that beeps into this set's talk or takes turns in it
        self.taker: Any = None  # the same, while the set talks with it
        self.refused: dict[int, CommandFailed] = {}
        self.absent = False  # its Seize was refused: there is nothing to release or forget
        self._last_digit_seq = max((press.seq for press in state.digits), default=0)
        self._waiters: dict[asyncio.Future[None], None] = {}  # in order, so that a virtual clock repeats itself

    @property
    def is_released(self) -> bool:
        return self.phase is RELEASED

    def play_end(self, play_id: int) -> PlayEnd | None:
        """How that play ended; None while it goes on or before it began."""
        return self.play.end if self.play and self.play.play_id == play_id else None

    def consume(self, seq: int) -> None:
        """Forget the digits up to `seq`: a SetTag that says so is on its way."""
        self.digits = [press for press in self.digits if press.seq > seq]

    def begin_secret(self) -> None:
        """A MaskDigits is on its way: what waits, and all keys from now on, are of the secret."""
        self.secret_digits, self.digits = self.digits, []
        self.asks_secret = self.digits_masked = True

    def take_secret(self, count: int) -> None:
        """So many keys of it were acted on."""
        del self.secret_digits[:count]

    def end_secret(self) -> None:
        """A MaskDigits is on its way; what of the secret nobody has asked for is forgotten."""
        self.secret_digits = []
        self.asks_secret = self.digits_masked = False

    def apply(self, event: Event) -> None:
        """Follow the table. Raises: CallError APP-002 for an event that has no row."""
        row = TABLE.get((self.phase, type(event)))
        if row is None:
            raise CallError(
                "APP-002",
                f"{type(event).__name__} on leg {self.name}, which is {self.phase}",
                "The channel is released; report this with the log of careline-lines",
            )
        action, self.phase = row
        action(self, event)
        self.wake()

    def refuse(self, failure: CommandFailed) -> None:
        """The line server could not do a command of this leg."""
        self.refused[failure.command_id] = failure
        self.wake()

    def wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, holds: Callable[["Leg"], bool], limit_s: float) -> bool:
        """Wait until `holds(self)`; False when it did not within the limit.

        When this process itself stood still past the limit, the line server's events wait in the socket: they come first.
        """
        loop = asyncio.get_running_loop()
        until_s = loop.time() + limit_s
        try:
            async with asyncio.timeout_at(until_s):
                while not holds(self):
                    await self._next_change()
        except TimeoutError:
            if loop.time() - until_s > STOOD_STILL_S:
                return await self.wait(holds, CATCH_UP_S)
            return holds(self)
        return True

    async def _next_change(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = None
        try:
            await waiter
        finally:
            del self._waiters[waiter]

    # --- actions of the table ------------------------------------------------------------------------------------

    def _answered(self, event: Answered) -> None:
        self.answered_at = event.at

    def _released(self, event: Released) -> None:
        self.released_at, self.cause, self.by_far_end = event.at, event.cause, event.by_far_end
        self.bridged_with, self.conference = None, ()

    def _digit(self, event: Digit) -> None:
        if event.seq <= self._last_digit_seq:
            return
        self._last_digit_seq = event.seq
        if self.asks_secret:
            self.secret_digits.append(DigitPress(event.seq, event.digit, event.at))
        elif not event.secret:  # else left over from one that is asked for no more
            self.digits.append(DigitPress(event.seq, event.digit, event.at))

    def _play_done(self, event: PlayDone) -> None:
        self.play = PlayState(event.play_id, event.end)

    def _flashed(self, event: HookFlashed) -> None:
        self.flashes += 1

    def _number_dialled(self, event: NumberDialled) -> None:
        self.collected = event

    def _speech(self, event: SpeechBegan) -> None:
        self.spoke, self.quiet_ms = True, 0

    def _silence(self, event: SilenceBegan) -> None:
        self.quiet_ms = max(1, event.silence_ms)

    def _nothing(self, event: Event) -> None:
        """The phase says it all, or no verb waits for it."""

    def _bridged(self, event: Bridged) -> None:
        self.bridged_with, self.native, self.conference = event.other, event.native, ()

    def _unbridged(self, event: Unbridged) -> None:
        self.bridged_with = None

    def _conferred(self, event: Conferred) -> None:
        self.bridged_with, self.conference = None, event.others

    def _transferred(self, event: Transferred) -> None:
        self.transfer = TransferState(event.transfer_id, event.outcome)

    def _gap(self, event: RecordingGap) -> None:
        known = self.recordings.get(event.recording_id)
        if known:
            lost = known.lost_samples + event.lost_samples
            self.recordings[event.recording_id] = msgspec.structs.replace(known, lost_samples=lost)
        if not event.lost_samples:  # so the line server says that writing begins to fail
            self.unwritten.add(event.recording_id)

    def _recording_done(self, event: RecordingDone) -> None:
        known = self.recordings.get(event.recording_id)
        if known is None:
            log.warning("leg %s: an unknown recording %s ended", self.name, event.recording_id)
            return
        self.recording_errors[event.recording_id] = event.error
        self.recordings[event.recording_id] = msgspec.structs.replace(
            known, samples=event.samples, lost_samples=event.lost_samples, stopped=True
        )

    def recording_begun(self, recording: RecordingState) -> None:
        """A StartRecording for it is on its way."""
        self.recordings[recording.recording_id] = recording

    @classmethod
    def dialled(cls, name: str, group: str, at: datetime) -> "Leg":
        """A leg whose Seize is on its way: the channel is not known yet."""
        state = LegState(leg=name, channel=0, group=group, direction=Direction.OUTBOUND, phase=DIALLING, offered_at=at)
        leg = cls(state)
        leg.channel = None
        return leg


Row = tuple[Callable[[Leg, Any], None], LegPhase]

MEDIA: dict[type[Event], Callable[[Leg, Any], None]] = {
    Digit: Leg._digit,
    PlayDone: Leg._play_done,
    DigitsSent: Leg._nothing,
    HookFlashed: Leg._flashed,
    NumberDialled: Leg._number_dialled,
    SpeechBegan: Leg._speech,
    SilenceBegan: Leg._silence,
    ToneDetected: Leg._nothing,
    Bridged: Leg._bridged,
    Unbridged: Leg._unbridged,
    Conferred: Leg._conferred,
    Transferred: Leg._transferred,
    RecordingGap: Leg._gap,
    RecordingDone: Leg._recording_done,
}

# (phase, event) -> (action, phase). What is not here is a fault: it is logged and the channel released.
TABLE: dict[tuple[LegPhase, type[Event]], Row] = {
    (OFFERED, Answered): (Leg._answered, ANSWERED),
    (OFFERED, Released): (Leg._released, RELEASED),
    (DIALLING, Alerting): (Leg._nothing, ALERTING),
    (DIALLING, Answered): (Leg._answered, ANSWERED),
    (DIALLING, Released): (Leg._released, RELEASED),
    (ALERTING, Alerting): (Leg._nothing, ALERTING),
    (ALERTING, Answered): (Leg._answered, ANSWERED),
    (ALERTING, Released): (Leg._released, RELEASED),
    (ANSWERED, Released): (Leg._released, RELEASED),
    # audio runs beside signalling: before the answer (ringback is heard), and for a moment after the release
    **{(phase, kind): (action, phase) for phase in LegPhase for kind, action in MEDIA.items()},
}
