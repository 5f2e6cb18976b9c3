"""`careline handset`: a telephone of the virtual card on the command line."""

import sys
from pathlib import Path
from typing import Any, NamedTuple

import click

from appliance import config as configuration
from appliance.cli.options import config_option
from appliance.cli.sound import read_speech, write_heard
from appliance.control.handset import SPEAK_SAMPLES, Handset, dial_message
from appliance.errors import StartError
from appliance.ivr.prompts.wav import RATE_HZ
from drivers.clock import Clock, RealClock
from drivers.errors import LineError
from drivers.protocol import HandsetAudio, HandsetKeysSent, HandsetSpoken, HandsetState

SAY_HERE = "s"
KEYS_MOST = 64  # of one HandsetKeys
KEYS = frozenset("0123456789*#ABCDw" + SAY_HERE)
ANSWER_LIMIT_S = 90.0
STAY_LONGEST_S = 86_400
ENDS = frozenset({"ended", "busy", "no_answer"})


class Step(NamedTuple):
    """One thing to do on the telephone, answered by one reply when it is done."""

    keys: str = ""
    speech: bytes = b""

    @property
    def length_s(self) -> float:
        """At most: a key takes 200 ms, a pause 500."""
        return len(self.keys) * 0.5 + len(self.speech) / RATE_HZ

    def begin(self, telephone: Handset) -> None:
        if self.keys:
            telephone.press(self.keys)
        else:
            telephone.speak(self.speech)


@click.command()
@config_option
@click.option("--socket", type=click.Path(path_type=Path), help="The handset socket.  [default: as the configuration says]")
@click.option("--number", default="", help="The number to call.  [default: the box's first number]")
@click.option("--channel", type=int, help="Instead of calling: be the set on this FXS port, answer when it rings.")
@click.option("--caller", default="", help="The number to show as the caller, or: withheld.")
@click.option("--keys", default="", help="Keys to press when answered: 0-9 * # A-D; w waits half a second; s says the file of --say here.")
@click.option("--say", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="WAV to say (mono, 8 kHz), after the keys.")
@click.option("--record", type=click.Path(path_type=Path, dir_okay=False), help="WAV to write what is heard into.")
@click.option(
    "--stay-s",
    type=click.IntRange(0, STAY_LONGEST_S),
    default=10,
    show_default=True,
    help="Hang up that long after the last key or word.",
)
def handset(
    config: Path,
    socket: Path | None,
    number: str,
    channel: int | None,
    caller: str,
    keys: str,
    say: Path | None,
    record: Path | None,
    stay_s: int,
) -> None:
    """Place a call to the box from a telephone of the virtual card. Exit status 1 if it is not answered."""
    plan = steps(keys, read_speech(say) if say else b"")
    if socket is None or not (number or channel):
        file = configuration.load(config)
        socket, number = socket or file.paths.handset_socket, number or ("" if channel else first_number(file.lines))
    if record:
        write_heard(record, b"")  # a file that cannot be written is told before the call, not after it
    with Handset(socket, dial_message(number, channel, caller, stream=True)) as telephone:
        call = Call(telephone, plan, stay_s, is_set=channel is not None)
        try:
            call.run()
        finally:
            if record:
                write_heard(record, bytes(call.heard))
    sys.exit(not call.answered)


def steps(keys: str, speech: bytes) -> list[Step]:
    """Keys and speech in the order they are to come. Raises: StartError APP-046 for a key no telephone has."""
    if wrong := set(keys) - KEYS:
        raise StartError("APP-046", f"{''.join(sorted(wrong))!r} in --keys is no key", "Use 0-9 * # A-D, w to wait, s to say")
    if SAY_HERE in keys and not speech:
        raise StartError("APP-046", "`s` in --keys, and nothing to say", "Name a WAV with --say, or leave the s out")
    order = keys if SAY_HERE in keys or not speech else keys + SAY_HERE
    plan: list[Step] = []
    for part, piece in enumerate(order.split(SAY_HERE)):
        if part:
            plan.extend(Step(speech=speech[at : at + SPEAK_SAMPLES]) for at in range(0, len(speech), SPEAK_SAMPLES))
        plan.extend(Step(keys=piece[at : at + KEYS_MOST]) for at in range(0, len(piece), KEYS_MOST))
    return plan


def first_number(lines: dict[str, Any]) -> str:
    """The first telephone number of `[lines.virtual]`. Raises: StartError APP-047."""
    numbers = lines.get("virtual", {}).get("numbers") or [{}]
    if found := str(numbers[0].get("number", "")):
        return found
    raise StartError("APP-047", "no number to call", "Give --number, or a number in [[lines.virtual.numbers]]")


class Call:
    """One call of a telephone: what it tells is taken one by one until nothing is left to do."""

    def __init__(self, telephone: Handset, plan: list[Step], stay_s: float, is_set: bool = False, clock: Clock | None = None) -> None:
        self._telephone, self._plan, self._stay_s, self._is_set = telephone, plan, stay_s, is_set
        self._clock = clock or RealClock()
        self._started_s = self._clock.monotonic_s()
        self._until_s = self._started_s + ANSWER_LIMIT_S
        self.answered = False
        self.heard = bytearray()

    def run(self) -> None:
        """To its end. Raises: LineError when the line server is not there, refuses, or tells nothing at all."""
        for message in self._telephone.messages(ANSWER_LIMIT_S):
            if isinstance(message, HandsetAudio):
                self.heard += message.samples
            elif isinstance(message, HandsetKeysSent | HandsetSpoken):
                self._next()
            elif self._over(message):
                return
            if self._clock.monotonic_s() > self._until_s:
                self._say("hanging up")
                return
        raise LineError("LIN-080", "the line server went away during the call", "See the log of careline-lines")

    def _over(self, told: HandsetState) -> bool:
        self._say(told.state + (f": {told.detail}" if told.detail not in ("", told.state) else ""))
        if told.state == "ringing" and self._is_set:
            self._telephone.pick_up()
        elif told.state == "talking" and not self.answered:
            self.answered = True
            self._next()
        return told.state in ENDS or (told.state == "idle" and self.answered)

    def _next(self) -> None:
        """Begin the next step; after the last one stay for a while."""
        now_s = self._clock.monotonic_s()
        if self._plan:
            step = self._plan.pop(0)
            self._until_s = now_s + step.length_s + ANSWER_LIMIT_S
            step.begin(self._telephone)
        else:
            self._until_s = now_s + self._stay_s

    def _say(self, what: str) -> None:
        click.echo(f"{self._clock.monotonic_s() - self._started_s:6.1f} s  {what}")
