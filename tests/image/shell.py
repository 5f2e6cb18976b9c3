"""The root shell that tests have in the booted image (lab-shell.service), one command at a time over a serial line. Host side."""

import itertools
import time
from collections.abc import Callable

from tests.image.serial_line import SerialLine

COMMAND_LIMIT_S = 120.0
ANSWER_EVERY_S = 3.0


class CommandError(AssertionError):
    """A command of a test ended with another status than 0; the text has its output."""


class LabShell:
    """Ready once it answers. Raises: whatever `failure` makes, when it does not."""

    def __init__(self, line: SerialLine, limit_s: float, failure: Callable[[str], Exception]) -> None:
        self._line, self._failure = line, failure
        self._numbers = itertools.count(1)
        deadline_s = time.monotonic() + limit_s
        while True:
            # Its echo must not be taken for the answer: what is typed has quotes, what comes back has none.
            line.send(b"\rstty -echo -onlcr; PS1=; echo LA''B-IS-THERE\r")
            if line.find(rb"LAB-IS-THERE\r?\n", ANSWER_EVERY_S):
                return
            if time.monotonic() > deadline_s:
                raise failure(f"no test shell within {limit_s:.0f} s")

    def run(self, command: str, limit_s: float = COMMAND_LIMIT_S, check: bool = True) -> str:
        """What a command (of one line) printed, both outputs, without the last newline. Raises: CommandError; see LabShell."""
        status, output = self.status(command, limit_s)
        if check and status != 0:
            raise CommandError(f"{command}\nended with {status}: {output}")
        return output

    def status(self, command: str, limit_s: float = COMMAND_LIMIT_S) -> tuple[int, str]:
        """Its exit status and what it printed."""
        number = next(self._numbers)
        self._line.send(f"echo BE''GIN{number}; {{ {command}; }} 2>&1 </dev/null; echo E''ND{number}-$?\r".encode())
        begun = self._line.find(rf"BEGIN{number}\r?\n".encode(), limit_s)
        ended = self._line.find(rf"(?s)(.*?)END{number}-(\d+)\r?\n".encode(), limit_s) if begun else None
        if ended is None:
            raise self._failure(f"the test shell did not end within {limit_s:.0f} s: {command}")
        return int(ended[2]), ended[1].decode(errors="replace").replace("\r\n", "\n").rstrip("\n")
