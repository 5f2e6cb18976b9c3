"""The verb that takes a caller's message, and the keeping of recordings: the whole call and each message.

A recording's name says what it is: the call id alone is the whole call, with "-m1" the first message. What the line
server has of it is in the leg's state, so a message that is being spoken while this process dies goes on. "-s2" is a statement: recorded
like a message, but whoever asked for it files it.
"""

from appliance.call.core import Finished
from appliance.call.leg import Leg
from appliance.call.outcome import Taken
from appliance.call.talk import Talking
from appliance.errors import CallError
from appliance.events import AnyHappened, CallFailed, MessageDiscarded, MessageLeft, RecordingEnded, RecordingStarted
from appliance.recording import references
from drivers.protocol import DetectSpeech, RecordingState, Sides, StartRecording, StopRecording

END_KEY = "#"
STATEMENT = "-s"
STOP_LIMIT_S = 5.0
UNWRITTEN_LIMIT_S = 1.0  # a disk that has room again takes what waits at the writer's next pass
SETTLE_LIMIT_S = 15.0  # nobody listens any more; a disk that refuses is given up by the media core after 10
SAMPLES_PER_MS = 8


class Recording(Talking):
    """The call's own recording."""

    def path_of(self, recording_id: str) -> str:
        """Relative to the recordings folder: one folder per day of the hospital's calendar."""
        return f"{self._around.recording_day(self.main.offered_at)}/{recording_id}.wav"

    def begin_recording(self, recording_id: str, sides: Sides) -> int:
        """Start it, unless the line server has it already; 0 then."""
        if recording_id in self.main.recordings:
            return 0
        path = self.path_of(recording_id)
        self.main.recording_begun(RecordingState(recording_id, path, sides, self._around.clock.now()))
        return self.send(StartRecording(leg=self.main.name, recording_id=recording_id, path=path, sides=sides))

    async def pause_recording(self) -> None:
        """The call's own recording ends for now."""
        recording = self.main.recordings.get(self.id)
        if recording and not recording.stopped:
            command_id = self.send(StopRecording(leg=self.main.name, recording_id=self.id))
            await self.recording_stopped(self.id, command_id)

    def continue_recording(self) -> None:
        """It goes on, the time in between as silence."""
        recording = self.main.recordings.get(self.id)
        if recording and recording.stopped and not self.main.is_released:
            self.main.recordings.pop(self.id)
            self.begin_recording(self.id, recording.sides)

    def recording_started(self, recording_id: str, sides: Sides) -> RecordingStarted:
        return RecordingStarted(recording_id=recording_id, path=self.path_of(recording_id), sides=sides, **self.here())

    async def recording_stopped(self, recording_id: str, command_id: int = 0, limit_s: float = STOP_LIMIT_S) -> bool:
        """Wait until its file is closed; False when it never will be: it may be refused while we wait."""

        def is_over(leg: Leg) -> bool:
            recording = leg.recordings.get(recording_id)
            return recording is None or recording.stopped or command_id in leg.refused

        await self.main.wait(is_over, limit_s)
        recording = self.main.recordings.get(recording_id)
        return recording is not None and recording.stopped

    def recording_ended(self, recording_id: str) -> RecordingEnded:
        """The event of a recording's end, as far as it is known."""
        recording = self.main.recordings[recording_id]
        missing = "" if recording.stopped else "the line server did not say how it ended"
        return RecordingEnded(
            recording_id=recording_id,
            path=self.path_of(recording_id),
            samples=recording.samples,
            lost_samples=recording.lost_samples,
            error=self.main.recording_errors.get(recording_id, "") or missing,
            **self.here(),
        )


class MessageTaking(Recording):
    """Messages of the caller. `reference` is the number of the last one that was kept."""

    reference = ""

    def message_id(self, message: int) -> str:
        return f"{self.id}-m{message}"

    async def record_message(self, max_ms: int, silence_ms: int, min_ms: int) -> Taken:
        """Record the caller until the end key, that much silence, or the limit; it is kept when at least `min_ms`
        were spoken. The reference of a kept one is `self.reference`."""

        async def begin() -> Finished:
            typed = list(self.main.digits)  # before the tone: not the end of the message
            changes = {"taken": self.tag.taken + 1, **self.consumed(typed)}
            return Finished(self.tag.taken + 1, self.pressed(typed), changes)

        async def record() -> Finished:
            if not self._around.references.known.is_set() and self.message_id(message) not in self.main.recordings:
                return Finished([Taken.FAILED, ""], [self.fault(references.not_known())])
            return await self._record_message(self.message_id(message), max_ms, silence_ms, min_ms)

        message: int = await self.step("begin_message", begin)
        taken, self.reference = await self.step("record_message", record)
        return Taken(taken)

    async def record_statement(self, max_ms: int, silence_ms: int, min_ms: int) -> tuple[Taken, str]:
        """Record the caller like `record_message`, and give the recording's id; no number is given, no message kept."""

        async def begin() -> Finished:
            typed = list(self.main.digits)
            recording_id = f"{self.id}{STATEMENT}{self.tag.taken + 1}"
            changes = {"taken": self.tag.taken + 1, **self.consumed(typed)}
            return Finished(recording_id, [*self.pressed(typed), self.recording_started(recording_id, Sides.PARTY)], changes)

        recording_id: str = await self.step("begin_statement", begin)
        taken, _ = await self.step("record_statement", lambda: self._record_message(recording_id, max_ms, silence_ms, min_ms))
        return Taken(taken), recording_id

    async def _record_message(self, recording_id: str, max_ms: int, silence_ms: int, min_ms: int) -> Finished:
        self.main.quiet_ms, self.main.spoke = 0, False
        command_id = self.begin_recording(recording_id, Sides.PARTY)
        self.send(DetectSpeech(leg=self.main.name, silence_ms=silence_ms))
        in_time = await self._spoken(recording_id, command_id, max_ms)
        self.send(DetectSpeech(leg=self.main.name))
        if command_id in self.main.refused:
            return self._not_recorded(recording_id, command_id)
        is_closed = await self._closed(recording_id)
        pressed = self.main.digits
        if not is_closed:
            return Finished([Taken.FAILED, ""], self.pressed(pressed), self.consumed(pressed))
        events, taken, reference = self._judge(recording_id, min_ms, self._quiet_tail_ms(silence_ms), in_time)
        changes = {"settled": (*self.tag.settled, recording_id), **self.consumed(pressed)}
        return Finished([taken, reference], [*self.pressed(pressed), *events], changes)

    async def _closed(self, recording_id: str) -> bool:
        """Stop it. False while the disk holds it: what will be in the file is settled after the call, for the caller waits."""
        if not self.main.recordings[recording_id].stopped:
            limit_s = UNWRITTEN_LIMIT_S if recording_id in self.main.unwritten else STOP_LIMIT_S
            command_id = self.send(StopRecording(leg=self.main.name, recording_id=recording_id))
            await self.recording_stopped(recording_id, command_id, limit_s)
        return self.main.recordings[recording_id].stopped

    async def _spoken(self, recording_id: str, command_id: int, max_ms: int) -> bool:
        """Wait for the end of the message; False when it was the limit."""
        begun = self.main.recordings[recording_id].started_at
        elapsed_s = (self._around.clock.now() - begun).total_seconds()

        def over(leg: Leg) -> bool:
            return (
                leg.quiet_ms > 0
                or any(press.digit == END_KEY for press in leg.digits)
                or leg.recordings[recording_id].stopped
                or recording_id in leg.unwritten
                or command_id in leg.refused
            )

        return await self.main.wait(over, max(0.0, max_ms / 1000 - elapsed_s))

    def _quiet_tail_ms(self, silence_ms: int) -> int:
        return silence_ms if self.main.quiet_ms else 0

    def _not_recorded(self, recording_id: str, command_id: int) -> Finished:
        """The line server cannot record now: its disk is full, say."""
        refusal = self.main.refused[command_id]
        self.main.recordings.pop(recording_id, None)
        fault = self.fault(CallError(refusal.code, refusal.what, refusal.remedy))
        return Finished([Taken.FAILED, ""], [fault])

    def _judge(self, recording_id: str, min_ms: int, quiet_ms: int, in_time: bool) -> tuple[list[AnyHappened], Taken, str]:
        """What of a failed one is in the file is kept all the same, when it is long enough; its caller is told that it failed."""
        recording = self.main.recordings[recording_id]
        duration_ms = recording.samples // SAMPLES_PER_MS
        ended = self.recording_ended(recording_id)
        failed = bool(ended.error) or recording_id in self.main.unwritten
        kept = Taken.FAILED if failed else Taken.SAVED if in_time else Taken.LIMIT
        if duration_ms - quiet_ms >= min_ms and STATEMENT in recording_id:
            return [ended], kept, ""
        if duration_ms - quiet_ms >= min_ms:
            left = self._left(recording_id, duration_ms)
            return [ended, left], kept, left.reference
        reason = Taken.FAILED if failed else Taken.EMPTY if quiet_ms and not self.main.spoke else Taken.TOO_SHORT
        discarded = MessageDiscarded(
            recording_id=recording_id,
            path=self.path_of(recording_id),
            duration_ms=duration_ms,
            reason=reason,
            **self.here(),
        )
        return [ended, discarded], reason, ""

    def _left(self, recording_id: str, duration_ms: int) -> MessageLeft:
        return MessageLeft(
            reference=self._around.references.next(),
            recording_id=recording_id,
            path=self.path_of(recording_id),
            duration_ms=duration_ms,
            language=self.tag.language,
            ani=self.main.ani,
            **self.here(),
        )

    async def settle_recordings(self, min_ms: int) -> tuple[list[AnyHappened], dict[str, tuple[str, ...]]]:
        """After the release: every recording's end; a message cut off by the hang-up is kept when long enough."""
        events: list[AnyHappened] = []
        if self.id not in self.main.recordings and self.id not in self.tag.settled:
            events.append(self._never_recorded())
        open_ids = [name for name in self.main.recordings if name not in self.tag.settled]
        for recording_id in open_ids:
            await self.recording_stopped(recording_id, limit_s=SETTLE_LIMIT_S)
            if recording_id not in self.main.recordings:
                events.append(self._never_recorded())
            elif recording_id == self.id or STATEMENT in recording_id:
                events.append(self.recording_ended(recording_id))
            else:
                await self._around.references.known.wait()  # the released leg stays meanwhile, as until its record is on disk
                events += self._judge(recording_id, min_ms, 0, True)[0]
        return events, {"settled": (*self.tag.settled, *open_ids)}

    def _never_recorded(self) -> RecordingEnded:
        """Promised with the call's first events, and then it was over, or the disk full, before it began."""
        return RecordingEnded(recording_id=self.id, path=self.path_of(self.id), samples=0, error="nothing was recorded", **self.here())

    def recording_refused(self, command_id: int) -> CallFailed | None:
        """A fault when the whole call cannot be recorded; that a caller has gone before is none."""
        refusal = self.main.refused.get(command_id)
        if refusal is None:
            return None
        self.main.recordings.pop(self.id, None)
        if self.main.is_released:
            return None
        return self.fault(CallError(refusal.code, refusal.what, refusal.remedy))
