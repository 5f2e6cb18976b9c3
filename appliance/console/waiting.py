"""Waiting at a serial port until somebody presses Enter, as the smallest program there is: the shell, a tenth of a megabyte where Python
takes fourteen. The port stays open from the greeting to the session, so a modem at it keeps its line and nothing typed is lost.
"""

import fcntl
import os
import termios
from typing import NoReturn

SHELL = "/bin/sh"
WAIT = 'read -r _ || exit 0; exec "$@"'
INPUT, LOCAL, CHARACTERS = 0, 3, 6
"""Indices of what tcgetattr gives."""


def listen(port: int) -> None:
    """From now on the kernel collects what is typed at `port` (a file descriptor) until Enter. To be called before anybody is asked for it.

    A line has 4096 characters at most, so that noise fills no memory; no character has a meaning but Enter. Source: termios(3).
    """
    settings = termios.tcgetattr(port)
    settings[INPUT] |= termios.ICRNL
    settings[LOCAL] = termios.ICANON
    settings[CHARACTERS] = [b"\0"] * len(settings[CHARACTERS])
    termios.tcsetattr(port, termios.TCSANOW, settings)


def hand_over(port: int, command: list[str]) -> NoReturn:
    """Become a shell that waits for Enter at `port` and then becomes `command`; at a hang-up it ends. Source: dash(1)."""
    os.set_blocking(port, True)
    os.dup2(port, 0)
    os.execv(SHELL, [SHELL, "-c", WAIT, "careline-console", *command])


class Awaited:
    """The port that the shell waited at, its standard input: held until ours is open, as a block.

    What pyserial locks is the open file, so the lock was handed on with it.
    """

    def __enter__(self) -> None:
        fcntl.flock(0, fcntl.LOCK_UN)

    def __exit__(self, *_: object) -> None:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
