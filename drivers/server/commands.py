"""Carries out the call agent's commands: one row per command. Line server's event loop only."""

import logging
from collections.abc import Callable
from typing import Any

from drivers.errors import CarelineError, LineError
from drivers.ports import DIGITS, MAX_DIGITS
from drivers.protocol import (
    SELF_CALL_CHANNEL,
    Alert,
    Answer,
    AskSetup,
    BlockChannel,
    BlockedBy,
    Bridge,
    Cause,
    CollectNumber,
    Command,
    CommandFailed,
    Confer,
    DetectSpeech,
    DetectTones,
    Flash,
    Forget,
    Gain,
    LegPhase,
    MaskDigits,
    Mute,
    Ping,
    Play,
    PlayTone,
    Pong,
    Release,
    ResetCounters,
    Seize,
    SendDigits,
    SetTag,
    SettleSetup,
    ShowMessages,
    StartLineTest,
    StartRecording,
    StopLineTest,
    StopPlay,
    StopRecording,
    Tap,
    TransferByFlash,
    TransferInSwitch,
    TrySetup,
    Unbridge,
)
from drivers.server.audio_commands import AudioCommands
from drivers.server.bridges import Bridges
from drivers.server.calls import Calls
from drivers.server.checks import in_range
from drivers.server.health import Health
from drivers.server.inner_line import InnerLine
from drivers.server.line_tests import LineTests
from drivers.server.lines import Lines
from drivers.server.recordings import Recordings
from drivers.server.setting_up import SettingUp
from drivers.server.switch_commands import SwitchCommands

log = logging.getLogger("careline.lines")

TAG_MAX_BYTES = 65_536
AUDIO = (Play, StopPlay, PlayTone, StartRecording, StopRecording, Tap, Mute, MaskDigits, Gain, DetectSpeech, DetectTones)
"""After which a bridge may belong elsewhere: into the card or into the media core."""
NO_ANSWER_MAX_MS = 3_600_000


class Commands:
    """A command that cannot be done is answered by CommandFailed; nothing else happens then."""

    def __init__(
        self,
        lines: Lines,
        calls: Calls,
        bridges: Bridges,
        recordings: Recordings,
        health: Health,
        tests: LineTests,
        setting_up: SettingUp,
        inner: InnerLine,
    ) -> None:
        self._lines = lines
        self._calls = calls
        self._inner = inner
        self._bridges = bridges
        self._recordings = recordings
        self._health = health
        self._tests = tests
        self._audio = audio = AudioCommands(lines)
        switch = SwitchCommands(lines)
        self._rows: dict[type[Command], Callable[[Any], None]] = {
            Answer: self._answer,
            Release: self._release,
            Seize: self._seize,
            Play: audio.play,
            StopPlay: audio.stop_play,
            PlayTone: audio.play_tone,
            SendDigits: audio.send_digits,
            StartRecording: recordings.start,
            StopRecording: self._stop_recording,
            Bridge: self._bridge,
            Unbridge: self._unbridge,
            Confer: self._confer,
            Tap: self._tap,
            Mute: audio.mute,
            MaskDigits: audio.mask_digits,
            Gain: audio.gain,
            DetectSpeech: audio.detect_speech,
            DetectTones: audio.detect_tones,
            SetTag: self._set_tag,
            Forget: self._forget,
            BlockChannel: self._block_channel,
            ResetCounters: self._reset_counters,
            StartLineTest: self._tests.start,
            StopLineTest: self._tests.stop,
            AskSetup: setting_up.ask,
            TrySetup: setting_up.attempt,
            SettleSetup: setting_up.settle,
            Alert: switch.alert,
            Flash: switch.flash,
            TransferInSwitch: switch.transfer_in_switch,
            TransferByFlash: switch.transfer_by_flash,
            CollectNumber: self._collect_number,
            ShowMessages: self._show_messages,
            Ping: self._ping,
        }

    def carry_out(self, command: Command) -> None:
        """Never raises: this is the outer border of a command."""
        try:
            self._rows[type(command)](command)
            if isinstance(command, AUDIO):
                self._bridges.review(command.leg)
        except CarelineError as error:
            self._failed(command, error.code, error.what, error.remedy)
        except Exception as error:  # the outer border of a command: the calls go on whatever is wrong with it
            log.exception("LIN-059 %s failed", type(command).__name__)
            self._failed(command, "LIN-059", f"{type(command).__name__} failed: {error!r}", "This is a fault of the program; see its log")

    def _failed(self, command: Command, code: str, what: str, remedy: str) -> None:
        leg = getattr(command, "leg", "")
        # A command that meets a call just ended is no fault of anybody.
        log.log(logging.INFO if code == "LIN-031" else logging.WARNING, "%s leg %s: %s", code, leg or "-", what)
        self._lines.outbox.emit(CommandFailed(command_id=command.command_id, leg=leg, code=code, what=what, remedy=remedy))

    # --- calls -----------------------------------------------------------------------------------------------------

    def _answer(self, command: Answer) -> None:
        if self._lines.book.state(command.leg).phase is not LegPhase.ANSWERED:
            self._lines.state_in(command.leg, LegPhase.OFFERED)
            self._lines.channel_of(command.leg).answer()

    def _release(self, command: Release) -> None:
        in_range("cause", command.cause, 1, 127)
        state = self._lines.book.state(command.leg)
        if state.phase is LegPhase.DIALLING and not state.channel:
            self._calls.give_up(command.leg, command.cause)
        elif state.phase is not LegPhase.RELEASED:
            self._lines.channel_of(command.leg).release(command.cause)

    def _seize(self, command: Seize) -> None:
        if len(command.number) > MAX_DIGITS or not set(command.number.removeprefix("+")) <= DIGITS:
            remedy = f"Up to {MAX_DIGITS} of 0-9 * # A-D, w for a pause of 500 ms, and + before an international number"
            raise LineError("LIN-042", f"number {command.number!r}", remedy)
        in_range("no_answer_ms", command.no_answer_ms, 1, NO_ANSWER_MAX_MS)
        in_range("length of tag", len(command.tag), 0, TAG_MAX_BYTES)
        if command.channel == SELF_CALL_CHANNEL:
            self._inner.make()
        if command.channel is not None:
            self._lines.known_channel(command.channel)
        if command.channel is None and command.group not in self._lines.groups:
            known = ", ".join(self._lines.groups)
            raise LineError("LIN-033", f"there is no trunk group {command.group!r}", f"Groups are {known}")
        self._calls.seize(command)

    # --- joining, recording ------------------------------------------------------------------------------------------

    def _bridge(self, command: Bridge) -> None:
        self._bridges.join(command.leg, command.other, command.native)

    def _tap(self, command: Tap) -> None:
        before = self._lines.book.get(command.leg).audio.tap
        self._audio.tap(command)
        for target in (before, command.target):
            self._bridges.review(target)

    def _confer(self, command: Confer) -> None:
        self._bridges.confer(command.leg, command.other)

    def _unbridge(self, command: Unbridge) -> None:
        self._bridges.part(command.leg)

    def _stop_recording(self, command: StopRecording) -> None:
        self._recordings.stop(command.leg, command.recording_id)

    # --- book and channels -------------------------------------------------------------------------------------------

    def _set_tag(self, command: SetTag) -> None:
        in_range("length of tag", len(command.tag), 0, TAG_MAX_BYTES)
        state = self._lines.book.state(command.leg)
        left = tuple(press for press in state.digits if press.seq > command.consumed_seq)
        self._lines.book.update(command.leg, tag=command.tag, digits=left)

    def _forget(self, command: Forget) -> None:
        self._lines.book.forget(command.leg)
        self._lines.outbox.forget(command.leg)

    def _block_channel(self, command: BlockChannel) -> None:
        channel = self._lines.channel(command.channel)
        channel.block(BlockedBy.PERSON if command.blocked else BlockedBy.NOBODY)
        if command.at_once and command.blocked and channel.leg:
            channel.release(Cause.CHANNEL_NOT_AVAILABLE)
        self._lines.keep_blocked()

    def _reset_counters(self, command: ResetCounters) -> None:
        if command.span:
            if command.span not in self._lines.spans:
                raise LineError("LIN-033", f"there is no span {command.span}", "See the snapshot for the spans there are")
            self._health.reset(command.span)
        if command.channel:
            channel = self._lines.channel(command.channel)
            channel.care.reset()
            self._lines.channel_changed(channel)

    def _collect_number(self, command: CollectNumber) -> None:
        self._lines.state_in(command.leg, LegPhase.ANSWERED)
        self._lines.channel_of(command.leg).the_set().collect_number()

    def _show_messages(self, command: ShowMessages) -> None:
        self._lines.channel(command.channel).the_set().show_messages(command.waiting)

    def _ping(self, command: Ping) -> None:
        self._lines.outbox.emit(Pong(command_id=command.command_id))
