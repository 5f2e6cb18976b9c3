"""Commands about what sounds on a leg and what is listened for. Line server's event loop only."""

from datetime import timedelta

from drivers.errors import CarelineError
from drivers.protocol import (
    DetectSpeech,
    DetectTones,
    Gain,
    LegPhase,
    LegState,
    MaskDigits,
    Mute,
    Play,
    PlayDone,
    PlayEnd,
    PlayState,
    PlayTone,
    SendDigits,
    StopPlay,
    Tap,
)
from drivers.server.checks import in_range
from drivers.server.lines import Lines

# Sound can be sent while the far side rings or dials; what it says back can be listened to as well.
UP = (LegPhase.OFFERED, LegPhase.DIALLING, LegPhase.ALERTING, LegPhase.ANSWERED)
GAIN_MAX_DB = 24.0
SPEECH_MAX_MS = 600_000
MAX_CLIPS = 512  # Source: media.h, CM_MAX_CLIPS
MASK_MAX_MS = 60_000  # Source: media.h, CM_MASK_MS
KEY_KNOWN_MS = 200  # after it went down at the far end: the card's queue, the detector, a busy event loop


class AudioCommands:
    """One method per command. Raises: LineError or MediaError when it cannot be done."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def play(self, command: Play) -> None:
        in_range("clips", len(command.clips), 1, MAX_CLIPS)
        in_range("loops", command.loops, 0, 1000)
        in_range("play_id", command.play_id, 0, 2**31 - 1)
        self._lines.state_in(command.leg, *UP)
        port = self._lines.port_of(command.leg)
        play = self._lines.begin_play(command.leg, command.play_id)
        self._lines.book.update(command.leg, play=PlayState(command.play_id))
        try:
            port.play(play, command.clips, command.barge_in_digits, command.loops)
        except CarelineError:
            del self._lines.plays[play]
            self._play_failed(command)
            raise

    def _play_failed(self, command: Play) -> None:
        self._lines.end_play(command.leg, command.play_id, PlayEnd.FAILED)
        self._lines.outbox.emit(PlayDone(leg=command.leg, play_id=command.play_id, end=PlayEnd.FAILED))

    def stop_play(self, command: StopPlay) -> None:
        self._lines.port_of(command.leg).stop_play()

    def play_tone(self, command: PlayTone) -> None:
        self._lines.port_of(command.leg).tone(command.tone)
        self._lines.book.update_audio(command.leg, tone=command.tone)

    def send_digits(self, command: SendDigits) -> None:
        self._lines.state_in(command.leg, LegPhase.ALERTING, LegPhase.ANSWERED)
        self._lines.port_of(command.leg).send_digits(command.digits)

    def tap(self, command: Tap) -> None:
        target = self._lines.port_of(command.target) if command.target else None
        self._lines.port_of(command.leg).tap(target)
        self._lines.book.update_audio(command.leg, tap=command.target)

    def mute(self, command: Mute) -> None:
        port = self._lines.port_of(command.leg)
        port.mute(command.rx, command.tx)
        self._lines.book.update_audio(command.leg, mute_rx=command.rx, mute_tx=command.tx)

    def mask_digits(self, command: MaskDigits) -> None:
        in_range("quiet_ms", command.quiet_ms, 0, MASK_MAX_MS)
        state = self._lines.state_in(command.leg, *UP)
        port = self._lines.port_of(command.leg)
        if command.on:
            port.mask_keys(self._since_first_digit_ms(state))
        elif state.digits_masked:
            port.unmask_keys(command.quiet_ms)
        self._lines.book.update(command.leg, digits_masked=command.on, digits=() if command.on else state.digits)

    def _since_first_digit_ms(self, state: LegState) -> int:
        """How far back there may be keys of the secret: those that wait, and one that is down."""
        waited = self._lines.clock.now() - state.digits[0].at if state.digits else timedelta()
        return min(MASK_MAX_MS, max(0, round(waited / timedelta(milliseconds=1))) + KEY_KNOWN_MS)

    def gain(self, command: Gain) -> None:
        in_range("rx_db", command.rx_db, -GAIN_MAX_DB, GAIN_MAX_DB)
        in_range("tx_db", command.tx_db, -GAIN_MAX_DB, GAIN_MAX_DB)
        port = self._lines.port_of(command.leg)
        port.gain(command.rx_db, command.tx_db)
        self._lines.book.update_audio(command.leg, rx_db=command.rx_db, tx_db=command.tx_db)

    def detect_speech(self, command: DetectSpeech) -> None:
        in_range("silence_ms", command.silence_ms, 0, SPEECH_MAX_MS)
        self._lines.port_of(command.leg).detect_speech(command.silence_ms)
        self._lines.book.update_audio(command.leg, silence_ms=command.silence_ms)

    def detect_tones(self, command: DetectTones) -> None:
        self._lines.port_of(command.leg).detect_tones(wanted=command.tones)
        self._lines.book.update_audio(command.leg, tones=command.tones)
