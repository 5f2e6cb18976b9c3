"""A line server of a few lines, at the wire: keeps LegStates as drivers/protocol.py says, plays and records nothing.

Callers and sets are driven by the test. Used where the media core would only be in the way.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from drivers.clock import Clock
from drivers.protocol import (
    VERSION,
    Answer,
    Answered,
    Bridge,
    Bridged,
    Caller,
    ChannelChanged,
    ChannelState,
    Command,
    CommandFailed,
    Confer,
    Conferred,
    Digit,
    DigitPress,
    Direction,
    Event,
    Forget,
    GroupState,
    Hello,
    LegPhase,
    LegState,
    MaskDigits,
    Offered,
    Ping,
    Play,
    PlayDone,
    PlayEnd,
    PlayState,
    Pong,
    RecordingDone,
    RecordingGap,
    RecordingState,
    Release,
    Released,
    Seize,
    SetTag,
    SilenceBegan,
    StartRecording,
    StopPlay,
    StopRecording,
    TransferByFlash,
    TransferInSwitch,
    TransferOutcome,
    Transferred,
    TransferState,
    Unbridge,
    Unbridged,
    Welcome,
)

PLAY_S = 3.0
GIVE_UP_S = 10.0
DISK_FULL = "No space left on device"
ENDLESS_S = 100_000.0


class ScriptedLines:
    """One server for the whole test; call agents come and go by `connect`."""

    def __init__(self, clock: Clock, channels: int = 8, set_answers: Callable[[], str] = lambda: "answer") -> None:
        """`set_answers`: what whoever is called does: "answer" after 4 s, "no answer", or a cause it ends with at once."""
        self.clock = clock
        self.legs: dict[str, LegState] = {}
        self.commands: list[Command] = []
        self.refuse: Callable[[Command], str] = lambda command: ""
        self.refuse_code = "LIN-099"
        self.refuse_after_s = 0.0
        self.close_s = 0.0  # how long a disk takes to close a recording when its call is over
        self.disk_room_samples: int | None = None  # so many of a recording a full disk takes; it refuses the rest until that is given up
        self.switch_says = TransferOutcome.TRANSFERRED
        self.transfers = 0
        self.seized = 0
        self._set_answers = set_answers
        self._channels = channels
        self._events: asyncio.Queue[Event | None] | None = None
        self._named = 0
        self._plays: dict[str, asyncio.TimerHandle] = {}
        self._seqs: dict[str, int] = {}
        self._rows: dict[type[Command], Callable[[Any], None]] = {
            Hello: self._hello,
            Ping: self._ping,
            Answer: self._answer,
            Release: self._release,
            Seize: self._seize,
            Play: self._play,
            StopPlay: self._stop_play,
            StartRecording: self._start_recording,
            StopRecording: self._stop_recording,
            Bridge: self._bridge,
            Unbridge: self._unbridge,
            Confer: self._confer,
            TransferByFlash: self._hand_on,
            TransferInSwitch: self._join_in_switch,
            MaskDigits: self._mask,
            SetTag: self._set_tag,
            Forget: self._forget,
        }

    async def connect(self) -> "ScriptedChannel":
        self._events = asyncio.Queue()
        return ScriptedChannel(self, self._events)

    def leave(self, events: "asyncio.Queue[Event | None]") -> None:
        if self._events is events:
            self._events = None
        events.put_nowait(None)

    def emit(self, event: Event) -> None:
        if self._events is not None:
            self._events.put_nowait(event)

    # --- the caller and the operator -----------------------------------------------------------------------------

    def ring(self, ani: str | None = "13800000000", dnis: str | None = "96120", group: str = "trunk", caller: Caller | None = None) -> str:
        self._named += 1
        name = f"leg-{self._named}"
        busy = {state.channel for state in self.legs.values() if state.phase is not LegPhase.RELEASED}
        channel = next(number for number in range(1, 1000) if number not in busy)
        self.legs[name] = LegState(
            leg=name,
            channel=channel,
            group=group,
            direction=Direction.INBOUND,
            phase=LegPhase.OFFERED,
            ani=ani,
            dnis=dnis,
            caller=caller,
            offered_at=self.clock.now(),
        )
        self.emit(Offered(state=self.legs[name]))
        return name

    def press(self, leg: str, digit: str) -> None:
        if self.legs.get(leg) is None or self.legs[leg].phase is not LegPhase.ANSWERED:
            return
        self._seqs[leg] = seq = self._seqs.get(leg, 0) + 1
        now = self.clock.now()
        secret = self.legs[leg].digits_masked
        if not secret:
            self._update(leg, digits=(*self.legs[leg].digits, DigitPress(seq, digit, now)))
        self.emit(Digit(leg=leg, seq=seq, digit=digit, at=now, secret=secret))
        self._end_play(leg, PlayEnd.BARGED, digit)

    def hang_up(self, leg: str, far_end: bool = True, cause: int = 16) -> None:
        state = self.legs.get(leg)
        if state is None or state.phase is LegPhase.RELEASED:
            return
        for recording in state.recordings:
            self._close_recording(leg, recording.recording_id, self.close_s)
        if timer := self._plays.pop(leg, None):
            timer.cancel()
        other, conference = state.bridged_with, state.conference
        now = self.clock.now()
        self._update(
            leg, phase=LegPhase.RELEASED, released_at=now, cause=cause, released_by_far_end=far_end, bridged_with=None, conference=()
        )
        if len(conference) == 2:
            self._joined(*conference)
        if other:
            self._update(other, bridged_with=None)
            self.emit(Unbridged(leg=other))
        self.emit(Released(leg=leg, cause=cause, by_far_end=far_end, at=now))

    def quiet(self, leg: str, silence_ms: int = 5000) -> None:
        self.emit(SilenceBegan(leg=leg, silence_ms=silence_ms))

    # --- commands ------------------------------------------------------------------------------------------------

    def carry_out(self, command: Command) -> None:
        self.commands.append(command)
        if why := self.refuse(command):
            leg = getattr(command, "leg", "")
            failed = CommandFailed(command_id=command.command_id, leg=leg, code=self.refuse_code, what=why, remedy="none")
            if self.refuse_after_s:
                asyncio.get_running_loop().call_later(self.refuse_after_s, self.emit, failed)
            else:
                self.emit(failed)
            return
        if act := self._rows.get(type(command)):
            act(command)

    def _hello(self, command: Hello) -> None:
        numbers = tuple(range(1, self._channels + 1))
        channels = tuple(ChannelState(number=n, name=f"C{n}", span=1, group="trunk", signalling="fxsks") for n in numbers)
        self.emit(
            Welcome(
                version=VERSION,
                card="scripted",
                at=self.clock.now(),
                started_at=self.clock.now(),
                legs=tuple(self.legs.values()),
                channels=channels,
                spans=(),
                groups=(GroupState(name="trunk", channels=numbers, hunting="up"),),
            )
        )

    def _ping(self, command: Ping) -> None:
        self.emit(Pong())

    def _answer(self, command: Answer) -> None:
        if self.legs[command.leg].phase is LegPhase.OFFERED:
            self._answered(command.leg)

    def _answered(self, leg: str) -> None:
        if leg in self.legs and self.legs[leg].phase in (LegPhase.OFFERED, LegPhase.DIALLING, LegPhase.ALERTING):
            now = self.clock.now()
            self._update(leg, phase=LegPhase.ANSWERED, answered_at=now)
            self.emit(Answered(leg=leg, at=now))

    def _release(self, command: Release) -> None:
        self.hang_up(command.leg, far_end=False, cause=command.cause)

    def _seize(self, command: Seize) -> None:
        self.seized += 1
        self.legs[command.leg] = LegState(
            leg=command.leg,
            channel=101,
            group=command.group,
            direction=Direction.OUTBOUND,
            phase=LegPhase.DIALLING,
            offered_at=self.clock.now(),
            tag=command.tag,
        )
        loop = asyncio.get_running_loop()
        does = self._set_answers()
        if does == "answer":
            state = ChannelState(number=101, name="S", span=2, group="sets", signalling="fxoks", leg=command.leg)
            self.emit(ChannelChanged(channel=state))
            loop.call_later(4.0, self._answered, command.leg)
        elif does.isdigit():
            self.hang_up(command.leg, far_end=False, cause=int(does))
        else:
            loop.call_later(command.no_answer_ms / 1000, self.hang_up, command.leg, False, 19)

    def _play(self, command: Play) -> None:
        self._end_play(command.leg, PlayEnd.STOPPED)
        if self.legs[command.leg].phase is not LegPhase.ANSWERED:
            return
        self._update(command.leg, play=PlayState(command.play_id))
        loop = asyncio.get_running_loop()
        length_s = PLAY_S if command.loops else ENDLESS_S
        self._plays[command.leg] = loop.call_later(length_s, self._end_play, command.leg, PlayEnd.FINISHED)

    def _stop_play(self, command: StopPlay) -> None:
        self._end_play(command.leg, PlayEnd.STOPPED)

    def _end_play(self, leg: str, end: PlayEnd, digit: str = "") -> None:
        timer = self._plays.pop(leg, None)
        state = self.legs.get(leg)
        if timer is None or state is None or state.play is None:
            return
        timer.cancel()
        self._update(leg, play=PlayState(state.play.play_id, end))
        self.emit(PlayDone(leg=leg, play_id=state.play.play_id, end=end, digit=digit))

    def _start_recording(self, command: StartRecording) -> None:
        recording = RecordingState(command.recording_id, command.path, command.sides, self.clock.now())
        known = [each for each in self.legs[command.leg].recordings if each.recording_id != command.recording_id]
        self._update(command.leg, recordings=(*known, recording))
        if self.disk_room_samples is not None:
            gap = RecordingGap(leg=command.leg, recording_id=command.recording_id, lost_samples=0, reason=DISK_FULL)
            asyncio.get_running_loop().call_later(self.disk_room_samples / 8000 + 0.1, self.emit, gap)

    def _stop_recording(self, command: StopRecording) -> None:
        self._close_recording(command.leg, command.recording_id, 0.0)

    def _close_recording(self, leg: str, recording_id: str, close_s: float) -> None:
        close_s = close_s if self.disk_room_samples is None else GIVE_UP_S
        if close_s:
            asyncio.get_running_loop().call_later(close_s, self._end_recording, leg, recording_id)
        else:
            self._end_recording(leg, recording_id)

    def _end_recording(self, leg: str, recording_id: str) -> None:
        for recording in self.legs[leg].recordings:
            if recording.recording_id == recording_id and not recording.stopped:
                samples = round((self.clock.now() - recording.started_at).total_seconds() * 8000)
                room = self.disk_room_samples
                samples, error = (samples, "") if room is None else (min(samples, room), DISK_FULL)
                done = msgspec.structs.replace(recording, samples=samples, stopped=True)
                rest = [each for each in self.legs[leg].recordings if each.recording_id != recording_id]
                self._update(leg, recordings=(*rest, done))
                self.emit(RecordingDone(leg=leg, recording_id=recording_id, path=recording.path, samples=samples, error=error))

    def _bridge(self, command: Bridge) -> None:
        if self.legs[command.other].phase is LegPhase.ANSWERED:
            self._update(command.leg, bridged_with=command.other, native=True)
            self._update(command.other, bridged_with=command.leg, native=True)
            self.emit(Bridged(leg=command.leg, other=command.other, native=True))

    def _joined(self, leg: str, other: str) -> None:
        self._update(leg, bridged_with=other, native=True, conference=())
        self._update(other, bridged_with=leg, native=True, conference=())
        self.emit(Bridged(leg=leg, other=other, native=True))

    def _confer(self, command: Confer) -> None:
        other = self.legs[command.other]
        legs = (command.leg, command.other, other.bridged_with or "")
        for leg in legs:
            self._update(leg, bridged_with=None, conference=tuple(each for each in legs if each != leg))
            self.emit(Conferred(leg=leg, others=self.legs[leg].conference))

    def _hand_on(self, command: TransferByFlash) -> None:
        self._transfer(command.leg, command.transfer_id, "")

    def _join_in_switch(self, command: TransferInSwitch) -> None:
        self._transfer(command.leg, command.transfer_id, command.other)

    def _transfer(self, leg: str, transfer_id: int, other: str) -> None:
        """The switch takes 4 s for what `switch_says`; "transferred" ends the legs concerned."""
        before = self.legs[leg].transfer
        if before and before.transfer_id == transfer_id:
            return
        self.transfers += 1
        self._update(leg, transfer=TransferState(transfer_id))
        asyncio.get_running_loop().call_later(4.0, self._switch_done, leg, transfer_id, other)

    def _switch_done(self, leg: str, transfer_id: int, other: str) -> None:
        if self.legs.get(leg) is None or self.legs[leg].phase is LegPhase.RELEASED:
            return
        outcome = self.switch_says
        self._update(leg, transfer=TransferState(transfer_id, outcome))
        self.emit(Transferred(leg=leg, outcome=outcome, transfer_id=transfer_id))
        if outcome is TransferOutcome.TRANSFERRED:
            for each in (leg, other) if other else (leg,):
                self.hang_up(each, far_end=False)

    def _unbridge(self, command: Unbridge) -> None:
        other = self.legs[command.leg].bridged_with
        if other:
            for leg in (command.leg, other):
                self._update(leg, bridged_with=None)
                self.emit(Unbridged(leg=leg))

    def _mask(self, command: MaskDigits) -> None:
        state = self.legs[command.leg]
        self._update(command.leg, digits_masked=command.on, digits=() if command.on else state.digits)

    def _set_tag(self, command: SetTag) -> None:
        left = tuple(press for press in self.legs[command.leg].digits if press.seq > command.consumed_seq)
        self._update(command.leg, tag=command.tag, digits=left)

    def _forget(self, command: Forget) -> None:
        if self.legs[command.leg].phase is not LegPhase.RELEASED:
            raise AssertionError(f"Forget of {command.leg}, which is up")
        del self.legs[command.leg]

    def _update(self, leg: str, **changes: Any) -> None:
        self.legs[leg] = msgspec.structs.replace(self.legs[leg], **changes)


class ScriptedChannel:
    """One connection; what is sent before `close` is still carried out."""

    def __init__(self, server: ScriptedLines, events: "asyncio.Queue[Event | None]") -> None:
        self._server = server
        self._events = events

    def send(self, command: Command) -> None:
        asyncio.get_running_loop().call_soon(self._server.carry_out, command)

    async def receive(self) -> Event | None:
        return await self._events.get()

    def close(self) -> None:
        self._server.leave(self._events)
