"""Starts the product's daemons from a process that has them imported: Python starts slowly over 9p, a fork does not.

Guest only. Make the nursery before any thread or event loop is there. What it starts are real processes of their own session that run the
programs' own `main`; they outlive the scenario.
"""

import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import appliance.main
import drivers.server.program

HIGHEST_FD = 1024
PROGRAMS: dict[str, Callable[[], int]] = {"lines": drivers.server.program.main, "calls": appliance.main.main}


class Nursery:
    """A forked child that forks."""

    def __init__(self, config: Path) -> None:
        self._ours, theirs = socket.socketpair()
        if os.fork() == 0:
            self._ours.close()
            _serve(theirs, config)
        theirs.close()

    def start(self, program: str, log: Path) -> int:
        """Start "lines" or "calls"; its process id. Its output is appended to `log`."""
        self._ours.sendall(f"{program} {log}\n".encode())
        return int(self._ours.recv(64))


def _serve(requests: socket.socket, config: Path) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    for request in requests.makefile("r"):
        program, log = request.split()
        child = os.fork()
        if child == 0:
            requests.close()
            _become(program, config, log)
        requests.sendall(str(child).encode())
    os._exit(0)


def _become(program: str, config: Path, log: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, HIGHEST_FD)  # the scenario's report is one of them: its reader waits until all have closed it
    sys.argv = [program, "--config", str(config)]
    code = 1
    try:
        code = PROGRAMS[program]()
    finally:
        sys.stderr.flush()
        os._exit(code)
