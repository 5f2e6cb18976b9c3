"""`r2test` of libopenr2 as the far end of a CAS span: not ours, so the judge of our MFC/R2. Guest only.

It calls once on each of its channels, or waits for calls and answers them; it never hangs up by itself. What it saw is read from its
output.
"""

import contextlib
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.lab.guest import GUEST_SHARE

END_LIMIT_S = 10.0


class FarSetup(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of r2test.conf. `ani` of a caller: what it sends; of a listener: ask for so many digits."""

    variant: str
    channels: tuple[int, ...]
    calls: bool
    dnis: str = "88886666"
    ani: str = "13800138000"
    dnis_length: int = 8
    ani_length: int = 11
    category: str = "NATIONAL_SUBSCRIBER"
    skip_category: bool = False
    double_answer: bool = False
    charge: bool = True

    def text(self) -> str:
        def said(yes: bool) -> str:
            return "yes" if yes else "no"

        lines = [
            f"variant={self.variant}",
            "loglevel=error,warning,notice,cas,mf",
            f"category={self.category}",
            f"maxani={self.ani_length}",
            f"maxdnis={self.dnis_length}",
            "getanifirst=no",
            "mfbacktimeout=-1",  # else it takes 0 ms
            "meteringpulsetimeout=-1",
            f"skipcategory={said(self.skip_category)}",
            f"doubleanswer={said(self.double_answer)}",
            f"chargecalls={said(self.charge)}",
            f"caller={said(self.calls)}",
            f"dnid={self.dnis}",
            f"cid={self.ani}",
            *(f"channel={first}-{last}" for first, last in _runs(self.channels)),
        ]
        return "\n".join([*lines, ""])


class Seen(msgspec.Struct, frozen=True):
    """A call that arrived at r2test."""

    channel: int
    ani: str
    dnis: str
    category: int


class R2Test:
    """The running program and its output so far."""

    def __init__(self, setup: FarSetup, name: str) -> None:
        folder = Path(f"/tmp/r2test-{name}")
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "r2test.conf"
        config.write_text(setup.text())
        self._log = GUEST_SHARE / f"r2test-{name}.log"
        main, end = os.openpty()  # on a terminal it writes line by line
        # At real time: its audio comes from threads that would else wait for each other, and the emulated machine has one processor.
        command = ["chrt", "-r", "20", "r2test", "-c", str(config)]
        self._process = subprocess.Popen(command, stdout=end, stderr=end, cwd=folder, start_new_session=True)
        os.close(end)
        self._lines: list[str] = []
        self._times_s: list[float] = []
        self._reader = threading.Thread(target=self._read, args=(main,), daemon=True)
        self._reader.start()

    def said(self, pattern: str) -> list[re.Match[str]]:
        """Lines of its output in which that is found, in order."""
        return [found for line in tuple(self._lines) if (found := re.search(pattern, line))]

    def arrived(self) -> list[Seen]:
        found = self.said(r"call ready on chan (\d+)\. ANI = (\S*), DNIS = (\S*), Category = (\d+)")
        return [Seen(int(each[1]), each[2], each[3], int(each[4])) for each in found]

    def channels(self, what: str) -> list[int]:
        """Channels of which it said that, in order: "has been answered", "call ended", "protocol error"."""
        return [int(found[1]) for found in self.said(rf"USER: .*{what}.* chan (\d+)")]

    def tail(self, lines: int = 60) -> str:
        return "\n".join(self._lines[-lines:])

    def end(self) -> None:
        """Harmless when it has ended."""
        self._process.kill()
        self._process.wait(END_LIMIT_S)
        self._reader.join(END_LIMIT_S)
        # Only now: a file of the host costs time in which audio waits.
        self._log.write_text("".join(f"{at_s:.3f} {line}\n" for at_s, line in zip(self._times_s, self._lines, strict=True)))

    def _read(self, main: int) -> None:
        rest = b""
        with contextlib.suppress(OSError), os.fdopen(main, "rb", buffering=0) as output:  # EIO at its end
            while piece := output.read(65536):
                *whole, rest = (rest + piece).split(b"\n")
                for line in whole:
                    self._keep(line.decode(errors="replace").rstrip("\r"))

    def _keep(self, line: str) -> None:
        self._times_s.append(time.monotonic())
        self._lines.append(line)


@contextlib.contextmanager
def r2test(setup: FarSetup, name: str) -> Iterator[R2Test]:
    """It runs inside; a failure tells the end of its output."""
    far = R2Test(setup, name)
    try:
        yield far
    except BaseException as error:
        error.add_note(f"--- r2test, last lines\n{far.tail()}")
        raise
    finally:
        far.end()


def _runs(numbers: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    first = last = numbers[0]
    for number in (*numbers[1:], 0):
        if number != last + 1:
            yield first, last
            first = number
        last = number
