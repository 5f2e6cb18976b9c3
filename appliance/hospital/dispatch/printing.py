"""Waking `careline printers`: under systemd it ends where no printer is set up (a process less in memory), and careline-printers.path
starts it when this file is written.
"""

import contextlib
from pathlib import Path

WAKE = "printers.wake"


def wake(data_dir: Path) -> None:
    """After a printer was set up. Where nothing can be written the next start of the box finds it."""
    with contextlib.suppress(OSError):
        (data_dir / WAKE).write_text("a printer was set up\n")
