"""The one Python of the guest: runs scenarios one after the other, each in a forked process, and writes one
JSON line each.

Runs as root inside the guest only. Python is slow to start over 9p, a fork is not; a scenario that crashes
the interpreter, leaves descriptors open or never ends harms nobody but itself. Usage: python -m
tests.lab.inside RESULTS [SCENARIO...]
"""

import contextlib
import os
import select
import signal
import sys
import time
import traceback
from pathlib import Path

import msgspec

from tests.lab.leftovers import end_leftovers, shares_box
from tests.lab.scenario import Outcome, Report, Scenario, load

KERNEL_LOG_TAIL_LINES = 15


def main(arguments: list[str]) -> int:
    """Run the scenarios named; exit code 1 when one failed, 2 when a name or module is wrong."""
    results = Path(arguments[0])
    try:
        scenarios = load(arguments[1:])
    except Exception:
        traceback.print_exc()
        return 2
    passed, earlier = True, ""
    for each in scenarios:
        if not shares_box(earlier, each.name):
            end_leftovers()
        earlier = each.name
        outcome = run_forked(each)
        with results.open("ab") as lines:
            lines.write(msgspec.json.encode(outcome) + b"\n")
        passed = passed and not outcome.error
    return 0 if passed else 1


def run_forked(each: Scenario) -> Outcome:
    """Run one scenario in a child of its own session; kills what is left of it afterwards."""
    started = time.monotonic()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.setsid()
        _run_here(each, writer)
    os.close(writer)
    answer = _read_within(reader, each.limit_s)
    _end(child)
    took_s = time.monotonic() - started
    if not answer:
        reason = f"no answer within {each.limit_s:.0f} s or crashed\n{kernel_log_tail()}"
        return Outcome(name=each.name, took_s=took_s, error=reason)
    return msgspec.structs.replace(msgspec.json.decode(answer, type=Outcome), took_s=took_s)


def kernel_log_tail() -> str:
    """Last lines of the guest's kernel log."""
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    lines: list[str] = []
    with contextlib.suppress(BlockingIOError):
        while record := os.read(log, 8192):
            lines.append(record.decode(errors="replace").splitlines()[0])
    os.close(log)
    return "\n".join(lines[-KERNEL_LOG_TAIL_LINES:])


def _run_here(each: Scenario, writer: int) -> None:
    report = Report()
    error = ""
    try:
        each.run(report)
    except BaseException:
        error = f"{traceback.format_exc()}\n{kernel_log_tail()}"
    outcome = Outcome(name=each.name, took_s=0.0, error=error, figures=report.figures, remarks=report.remarks)
    sys.stdout.flush()
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(msgspec.json.encode(outcome))
    os._exit(0)


def _read_within(reader: int, limit_s: float) -> bytes:
    answer = b""
    deadline = time.monotonic() + limit_s
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        while True:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([pipe], [], [], left_s)[0]:
                return b""
            chunk = pipe.read(65536)
            if not chunk:
                return answer
            answer += chunk


def _end(child: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
