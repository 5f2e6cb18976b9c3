"""An emulated machine on which audio is never late, for scenarios in which not a moment of it may be lost. Guest only, with `--own-time`.

The guest's time is what it computes, but while its processor idles time passes as on the host, in one jump of as long as the host lets it
wait: 0.1 to 0.3 s now and then on a busy host, once 1.7 s. To the guest that is a machine that stands still. A processor that always
computes never jumps: a busy host only makes the guest slower.

And the clock of loopback spans is a timer of the kernel, which a busy kernel leaves to a thread (ksoftirqd) that waits until nobody
with a real-time priority wants the processor; thirty threads of r2test kept it waiting for 0.2 s. A card's interrupt waits for nobody.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

KERNEL_PRIORITY = 50  # above the media core's and r2test's
REAL_TIME_SHARE = Path("/proc/sys/kernel/sched_rt_runtime_us")  # in each second; -1: all of it


@contextlib.contextmanager
def steady_machine() -> Iterator[None]:
    """Inside, something computes whenever nothing else does, and nothing goes before the card's clock."""
    share = REAL_TIME_SHARE.read_text()
    with subprocess.Popen(["chrt", "-i", "0", "sh", "-c", "while :; do :; done"]) as idler:
        try:
            REAL_TIME_SHARE.write_text("-1")
            for thread in _kernel_threads("ksoftirqd/"):
                os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(KERNEL_PRIORITY))
            yield
        finally:
            REAL_TIME_SHARE.write_text(share)
            idler.kill()


def _kernel_threads(name: str) -> list[int]:
    """Their numbers, by how their names begin."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError):  # it ended meanwhile
            if (folder / "comm").read_text().startswith(name):
                found.append(int(folder.name))
    return found
