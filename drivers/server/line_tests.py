"""The kinds of tests of one channel that a person can ask for, and at most one of them running on each. Line server's event loop only."""

from drivers.errors import LineError
from drivers.io import Hook, LineEvent
from drivers.protocol import (
    LINE_TESTS,
    Figure,
    LineTestKind,
    LineTestPhase,
    StartLineTest,
    StopLineTest,
)
from drivers.server.checks import in_range
from drivers.server.lines import Lines
from drivers.server.measuring_tests import BitErrorTest, EchoTest, LevelTest, LoopbackTest, ToneTest
from drivers.server.running_test import RunningTest
from drivers.server.tone_learning import LearnTones
from drivers.spans import Channel

LIMIT_MS = (1000, 600_000)


class RingTest(RunningTest):
    """Rings a set. Passed when somebody picks up: a tone is heard then, until the receiver is put down."""

    timed_out = "not_answered"
    lifted = False

    def begin(self) -> None:
        self.hook(Hook.RING)

    def line_event(self, event: LineEvent) -> None:
        if event is LineEvent.RINGOFFHOOK and not self.lifted and self.state.phase is LineTestPhase.RUNNING:
            self.lifted = True
            self.hook(Hook.OFF)
            self.channel.port.tone("dial")
            self.end(LineTestPhase.PASSED, "answered", Figure("after", self.after_ms, "ms"))
        elif event is LineEvent.ONHOOK:
            self.lifted = False

    def is_settled(self) -> bool:
        return not self.lifted


class DialToneTest(RunningTest):
    """Seizes a line of an exchange. Passed when its dial tone comes."""

    timed_out = "no_dial_tone"

    def begin(self) -> None:
        self.channel.port.detect_tones(wanted=("dial", "busy", "congestion"))
        self.channel.port.meter(True)
        self.hook(Hook.OFF)

    def tone(self, tone: str, on: bool) -> None:
        if not on:
            return
        heard = (Figure("after", self.after_ms, "ms"), Figure("level", round(self.channel.port.levels().rx_dbm0, 1), "dBm0"))
        if tone == "dial":
            self.end(LineTestPhase.PASSED, "dial_tone", *heard)
        else:
            self.end(LineTestPhase.FAILED, f"{tone}_tone", *heard)

    def line_event(self, event: LineEvent) -> None:
        if event is LineEvent.ONHOOK:
            self.end(LineTestPhase.FAILED, "battery_dropped")


KINDS: dict[LineTestKind, type[RunningTest]] = {
    LineTestKind.RING: RingTest,
    LineTestKind.DIAL_TONE: DialToneTest,
    LineTestKind.LEARN_TONES: LearnTones,
    LineTestKind.LEVEL: LevelTest,
    LineTestKind.TONE: ToneTest,
    LineTestKind.ECHO: EchoTest,
    LineTestKind.LOOPBACK: LoopbackTest,
    LineTestKind.BERT: BitErrorTest,
}


class LineTests:
    """At most one test a channel."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._running: dict[int, RunningTest] = {}

    def start(self, command: StartLineTest) -> None:
        """Raises: LineError LIN-033, LIN-042, LIN-172 .. LIN-174; MediaError."""
        in_range("limit_ms", command.limit_ms, *LIMIT_MS)
        channel = self._lines.channel(command.channel)
        self._check(channel, command.kind)
        test = KINDS[command.kind](self._lines, channel, command, lambda: self._over(command.channel))
        test.start()
        self._running[command.channel] = test

    def stop(self, command: StopLineTest) -> None:
        """Raises: LineError LIN-033."""
        self._lines.channel(command.channel)
        if test := self._running.get(command.channel):
            test.stop()

    def close(self) -> None:
        for test in self._running.values():
            test.close()

    def _over(self, number: int) -> None:
        self._running.pop(number, None)

    def _check(self, channel: Channel, kind: LineTestKind) -> None:
        if channel.io is None or channel.is_gone:
            raise LineError("LIN-172", f"channel {channel.number} is not open", "See why in the log; is its card there?")
        if channel.spec.signalling.value not in LINE_TESTS[kind]:
            what = f"test {kind.value} cannot be done on channel {channel.number}, which is {channel.spec.signalling.value}"
            raise LineError("LIN-173", what, "Choose a test that fits the channel")
        if not channel.is_testable():
            remedy = "Wait until its call or test is over, or block it at once first"
            raise LineError("LIN-174", f"channel {channel.number} is in use", remedy)
