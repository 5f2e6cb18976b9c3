"""Learning the tones of a line's switch: one call of a number, what is heard measured, the tones kept and used from then on.

A test of a channel (`line_tests.py`); what the sounds mean is found in `signalling/tone_learning.py`. Line server's event loop only.
"""

import logging
from pathlib import Path

import msgspec

from drivers.errors import CarelineError, LineError
from drivers.io import Hook, LineEvent
from drivers.line_profiles import LearntTones, keep_learnt
from drivers.media.measuring import Sound
from drivers.ports import Port
from drivers.protocol import Figure, LineTestPhase
from drivers.server.running_test import RunningTest
from drivers.signalling.fxo_profile import LineTones
from drivers.signalling.tone_learning import OTHER, Stretch, has_ended, learn
from drivers.signalling.tone_text import tone_parts

log = logging.getLogger("careline.lines")

DIAL_TONE_MS = 4000
PAUSE_MS = 500  # of a "w"
ECHO_MS = 200  # after the last key
CAPTURE_MS = 45_000
LOOK_EVERY = 3  # reports; looking through 45 s of tones takes 20 ms


class LearnTones(RunningTest):
    """Passed when a tone was found after the number: it rang, or was busy, or both."""

    timed_out = "no_tones"
    dialled = False
    _looks = 0

    def begin(self) -> None:
        """Raises: LineError LIN-175 without a number to call."""
        if not self.command.number:
            raise LineError("LIN-175", "no number to call", "Name one that the line's switch rings or finds busy, such as the line's own")
        self._before: list[Stretch] = []
        self._after: list[Stretch] = []
        self.channel.port.capture(DIAL_TONE_MS)
        self.hook(Hook.OFF)
        self.later(DIAL_TONE_MS / 1000, self._dial)

    def line_event(self, event: LineEvent) -> None:
        if event is LineEvent.DIALCOMPLETE:
            self._listen()
        elif event is LineEvent.ONHOOK and self.dialled:
            self._decide("battery_dropped")
        elif event is LineEvent.ONHOOK:
            self.end(LineTestPhase.FAILED, "battery_dropped")

    def measure(self) -> tuple[Figure, ...]:
        """Ends the test as soon as there is no more to come."""
        self._looks += 1
        if self.dialled and self.state.phase is LineTestPhase.RUNNING and self._looks % LOOK_EVERY == 0:
            self._after = heard(self.channel.port)
            if has_ended(self._after):
                self.later(0, lambda: self._decide("no_tones"))
        return figures(learn(self._before, self._after))

    def limit(self) -> None:
        if self.dialled:
            self._after = heard(self.channel.port)
        self._decide(self.timed_out)

    def _dial(self) -> None:
        self._before = heard(self.channel.port)
        try:
            self._send(self.command.number)
        except CarelineError as error:
            log.error("%s channel %d: %s. %s", error.code, self.channel.number, error.what, error.remedy)
            self.end(LineTestPhase.FAILED, "not_dialled")

    def _send(self, number: str) -> None:
        """Pulses are over when the card says so, keys after their time. Raises: CarelineError."""
        line, io = self.channel.line, self.channel.io
        if line is not None and io is not None and line.profile.dialling == "pulse":
            io.dial_pulses(number.replace("w", ""))
            return
        self.channel.port.send_digits(number)
        engine = self._lines.config.engine
        key_ms = engine.digit_on_ms + engine.digit_off_ms
        self.later((sum(PAUSE_MS if key == "w" else key_ms for key in number) + ECHO_MS) / 1000, self._listen)

    def _listen(self) -> None:
        self.dialled = True
        self.channel.port.capture(CAPTURE_MS)

    def _decide(self, otherwise: str) -> None:
        tones = learn(self._before, self._after)
        if not (tones.ringback or tones.busy):
            self.end(LineTestPhase.FAILED, otherwise)
            return
        try:
            self._keep(tones)
        except CarelineError as error:
            log.error("%s", error)
            self.end(LineTestPhase.FAILED, "not_kept")
            return
        self.end(LineTestPhase.PASSED, "learnt")

    def _keep(self, tones: LineTones) -> None:
        """Raises: ConfigError."""
        lines = self._lines
        learnt = LearntTones(
            channels=self._channels(), number=self.command.number, learnt_at=lines.clock.now().isoformat(timespec="seconds"), tones=tones
        )
        known = keep_learnt(Path(lines.paths.data_dir), learnt)
        lines.config = msgspec.structs.replace(lines.config, learnt=known)
        for number in learnt.channels:
            channel = lines.channels[number]
            if channel.line is not None:
                channel.line.use_profile(lines.config.profile_of(number, channel.group))

    def _channels(self) -> tuple[int, ...]:
        """The line, or all lines of its group, which lead to the same switch."""
        own = self.channel.number
        if not self.command.whole_group:
            return (own,)
        group = self._lines.groups[self.channel.group.name]
        return tuple(channel.number for channel in group.channels if channel.line is not None)


def heard(port: Port) -> list[Stretch]:
    """What the port kept."""
    return [Stretch(each.ms, _hz1(each.sound, each.hz1), each.hz2) for each in port.segments()]


def _hz1(sound: Sound, hz: float) -> float:
    return {Sound.PAUSE: 0.0, Sound.TONE: hz}.get(sound, OTHER)


def figures(tones: LineTones) -> tuple[Figure, ...]:
    """Frequencies and, of tones that pause, the first burst and its pause."""
    told: list[Figure] = []
    for name, text in tones.written().items():
        first, *others = tone_parts(text)
        told.append(Figure(name, first.hz1, "Hz"))
        if others:
            told += [Figure(f"{name}_on", first.ms, "ms"), Figure(f"{name}_off", others[0].ms, "ms")]
    return tuple(told)
