"""An emulated processor that is never idle. Guest only.

With a clock of its own (`--own-time`) the guest's time is what it computes, but while its processor idles time passes as on the host, in
one jump of as long as the host lets it wait: 0.1 to 0.3 s now and then on a busy host, once 1.7 s. To the guest that is a machine that
stands still, and audio is lost. A processor that always computes never jumps: a busy host only makes the guest slower.
"""

import contextlib
import subprocess
from collections.abc import Iterator


@contextlib.contextmanager
def never_idle() -> Iterator[None]:
    """Something computes inside whenever nothing else does."""
    idler = subprocess.Popen(["chrt", "-i", "0", "sh", "-c", "while :; do :; done"])
    try:
        yield
    finally:
        idler.kill()
        idler.wait()
