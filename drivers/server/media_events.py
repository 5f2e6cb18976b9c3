"""Events of the media core, turned into what the call agent, the signalling and the book of legs must know. Event loop only."""

import logging
import os
from collections.abc import Callable

from drivers.io import LineEvent
from drivers.media import EventKind, MediaEvent
from drivers.ports import TONES, Sent
from drivers.protocol import (
    Cause,
    Digit,
    DigitPress,
    DigitsSent,
    PlayDone,
    PlayEnd,
    SilenceBegan,
    SpeechBegan,
    ToneDetected,
)
from drivers.server.lines import Lines
from drivers.server.recordings import Recordings
from drivers.server.unattended import OWN_PLAY
from drivers.spans import Channel

log = logging.getLogger("careline.lines")

_TONE_NAMES = {int(tone): name for name, tone in TONES.items()}
PLAY_ENDS = (PlayEnd.FINISHED, PlayEnd.BARGED, PlayEnd.STOPPED)
MAX_WAITING_DIGITS = 1000


class MediaEvents:
    """One method per event type that matters. `on_loss` is called when something was lost, to report at once."""

    def __init__(self, lines: Lines, recordings: Recordings, on_loss: Callable[[], None]) -> None:
        self._lines = lines
        self._recordings = recordings
        self._on_loss = on_loss

    def take(self, event: MediaEvent) -> None:
        match event.kind:
            case EventKind.PLAY_DONE:
                self._play_done(event)
            case EventKind.RECORD_DONE:
                self._recordings.done(event.id, event.samples, event.value)
            case EventKind.RECORD_GAP:
                self._recordings.gap(event.id, event.samples, event.value)
                self._on_loss()
            case EventKind.EVENTS_LOST:
                log.error("LIN-067 the media core dropped %d events: its ring was full. Raise [lines.engine] events", event.value)
                self._signals_lost()
                self._on_loss()
            case _:
                if channel := self._lines.channel_at(event.port):
                    self._of_channel(channel, event)

    def _of_channel(self, channel: Channel, event: MediaEvent) -> None:
        match event.kind:
            case EventKind.LINE_EVENT:
                self._line_event(channel, event.value)
            case EventKind.IO_ERROR:
                self._io_error(channel, event.value)
            case EventKind.TONE:
                self._tone(channel, event)
            case EventKind.CALLER_ID:
                channel.caller_id.on_message()
            case EventKind.DIGIT if channel.port.listens_for_caller_keys:
                channel.caller_id.on_key(event.digit)
            case EventKind.SPEECH if channel.line:
                channel.line.on_speech()
                self._of_leg(channel, channel.leg or "", event)
            case EventKind.MF:
                channel.on_mf(str(event.value or ""))
            case EventKind.DIGITS_SENT:
                self._sent(channel, channel.port.sent())
            case EventKind.UNDERRUN:
                self._underrun(channel, event.value)
            case EventKind.KEYS_UNMASKED:
                self._unmasked(channel)
            case EventKind.DIGIT if channel.on_digit(event.digit):
                log.debug("channel %d: %s dialled", channel.number, event.digit)
            case _:
                if channel.leg:
                    self._of_leg(channel, channel.leg, event)

    def _underrun(self, channel: Channel, frames: int) -> None:
        log.warning("LIN-068 channel %d: %d frames were not there in time", channel.number, frames)
        if channel.bits:
            channel.bits.sound_lost()

    def _unmasked(self, channel: Channel) -> None:
        channel.port.keys_unmasked()
        if channel.leg:
            self._lines.leg_quieter(channel.leg)

    def _signals_lost(self) -> None:
        """Register signals may have been among what was dropped, of any channel."""
        for channel in self._lines.channels.values():
            if channel.bits:
                channel.bits.sound_lost()

    def _line_event(self, channel: Channel, value: int) -> None:
        try:
            event = LineEvent(value)
        except ValueError:
            log.debug("channel %d: event %#x of the kernel means nothing here", channel.number, value)
            return
        self._lines.card.line_event(channel.number, event)

    def _of_leg(self, channel: Channel, leg: str, event: MediaEvent) -> None:
        match event.kind:
            case EventKind.DIGIT:
                self._digit(leg, event.digit, secret=event.id != 0)
            case EventKind.SPEECH if channel.port.wants_speech:
                self._lines.outbox.emit(SpeechBegan(leg=leg))
            case EventKind.SILENCE:
                self._lines.outbox.emit(SilenceBegan(leg=leg, silence_ms=event.value))

    def _play_done(self, event: MediaEvent) -> None:
        leg, play_id = self._lines.plays.pop(event.id, ("", OWN_PLAY))
        if play_id == OWN_PLAY:
            return
        end = PLAY_ENDS[event.value]
        self._lines.end_play(leg, play_id, end)
        digit = chr(event.value2) if event.value2 and not self._is_masked(leg) else ""
        self._lines.outbox.emit(PlayDone(leg=leg, play_id=play_id, end=end, digit=digit, samples=event.samples))

    def _digit(self, leg: str, digit: str, secret: bool) -> None:
        secret = secret or self._is_masked(leg)  # one that was on its way when the mask went on
        press = DigitPress(self._lines.book.next_seq(leg), digit, self._lines.clock.now())
        waiting = self._lines.book.state(leg).digits
        if len(waiting) < MAX_WAITING_DIGITS and not secret:
            self._lines.book.update(leg, digits=(*waiting, press))
        self._lines.outbox.emit(Digit(leg=leg, seq=press.seq, digit=digit, at=press.at, secret=secret))

    def _is_masked(self, leg: str) -> bool:
        return leg in self._lines.book and self._lines.book.state(leg).digits_masked

    def _sent(self, channel: Channel, what: Sent) -> None:
        if what is not Sent.DIGITS:
            channel.on_number_sent()
        elif channel.leg:
            self._lines.outbox.emit(DigitsSent(leg=channel.leg))

    def _tone(self, channel: Channel, event: MediaEvent) -> None:
        name = _TONE_NAMES.get(event.value)
        if name is None:
            return
        leg = channel.leg
        if leg and channel.port.wants_tone(name):
            self._lines.outbox.emit(ToneDetected(leg=leg, tone=name, on=bool(event.value2)))
        channel.on_tone(name, bool(event.value2))

    def _io_error(self, channel: Channel, errno: int) -> None:
        if errno:  # 0 answers our own detach
            log.error("LIN-069 channel %d: audio stopped: %s", channel.number, os.strerror(errno))
            channel.fail(Cause.TEMPORARY_FAILURE)
