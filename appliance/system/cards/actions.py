"""Which request about cards is done how: by `careline firmware --json`, whose answer is passed on. In threads of the box service.

The program is one of its own since it speaks to USB as root, with limits of its own, and may hang at a broken card without anybody waiting.
"""

import subprocess
import sys
from collections.abc import Sequence

import msgspec

from appliance.system.box import Action, Box, Tell
from appliance.system.cards.messages import (
    AddFirmware,
    AskCards,
    CardsFound,
    CardsLoaded,
    FirmwareAdded,
    LoadCards,
    RemoveFirmware,
)
from appliance.system.errors import BoxError
from appliance.system.messages import SystemRequest
from drivers.protocol import FirmwareAnswer, Message

PROGRAM = (sys.executable, "-m", "firmware_shims")
ASK_LIMIT_S = 50.0  # under what a client waits between two signs of life
LOAD_LIMIT_S = 900.0
SIGN_EVERY_S = 10.0


def ask(box: Box, request: AskCards, tell: Tell) -> CardsFound:
    answer = _run(box, ("cards",))
    if answer.told is None:
        raise _senseless("no cards")
    return CardsFound(told=answer.told)


def load(box: Box, request: LoadCards, tell: Tell) -> CardsLoaded:
    port = (f"--port={request.port}",) if request.port else ()
    return CardsLoaded(loaded=_run(box, ("load", *port), tell).loaded)


def add(box: Box, request: AddFirmware, tell: Tell) -> FirmwareAdded:
    answer = _run(box, ("add", f"--name={request.name}", f"--by={request.by}", "--", request.path))
    if answer.file is None:
        raise _senseless("no file")
    return FirmwareAdded(file=answer.file)


def remove(box: Box, request: RemoveFirmware, tell: Tell) -> None:
    _run(box, ("remove", "--", request.name))


def _run(box: Box, arguments: Sequence[str], tell: Tell | None = None) -> FirmwareAnswer:
    """What the program answers. Raises: BoxError with the program's own code; SYS-150 it cannot be started or says nothing, SYS-151 it
    takes too long."""
    try:
        with subprocess.Popen(_command(box, arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            output, said = _await(running, LOAD_LIMIT_S if tell else ASK_LIMIT_S, tell)
    except OSError as error:
        raise BoxError("SYS-150", f"the program for cards cannot be started: {error.strerror}", "Install Careline anew") from error
    return _answer(output, said)


def _command(box: Box, arguments: Sequence[str]) -> list[str]:
    return [*PROGRAM, "--config", str(box.file), "--json", *arguments]


def _await(running: "subprocess.Popen[bytes]", limit_s: float, tell: Tell | None) -> tuple[bytes, bytes]:
    waited_s = 0.0
    while True:
        try:
            return running.communicate(timeout=min(SIGN_EVERY_S, limit_s - waited_s))
        except subprocess.TimeoutExpired:
            waited_s += SIGN_EVERY_S
        if waited_s >= limit_s:
            running.kill()
            running.communicate()
            what = f"the program for cards was not done within {limit_s:.0f} s"
            raise BoxError("SYS-151", what, "Unplug the USB box for ten seconds; see the kernel log (dmesg)")
        if tell is not None:
            tell(round(100 * waited_s / limit_s), "loading")


def _answer(output: bytes, said: bytes) -> FirmwareAnswer:
    try:
        answer = msgspec.json.decode(output, type=FirmwareAnswer)
    except msgspec.DecodeError as error:
        raise _senseless(" ".join(said.decode(errors="replace").split())[-300:]) from error
    if answer.fault is not None:
        raise BoxError(answer.fault.code, answer.fault.what, answer.fault.remedy)
    return answer


def _senseless(said: str) -> BoxError:
    return BoxError("SYS-150", f"the program for cards gave no answer: {said}", "See the log of careline-system")


ACTIONS: dict[type[SystemRequest], Action] = {AddFirmware: add, AskCards: ask, LoadCards: load, RemoveFirmware: remove}
REPLIES: tuple[type[Message], ...] = (CardsFound, CardsLoaded, FirmwareAdded)
