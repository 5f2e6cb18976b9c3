"""The box at a USB port of the running kernel (vhci_hcd), plugged again whenever it comes back. Root, in the lab's guest only.

Source: Linux drivers/usb/usbip/vhci_sysfs.c.
"""

import contextlib
import socket
import threading
import time
from pathlib import Path

from tests.astribank.box import Box
from tests.astribank.usbip import HIGH_SPEED, Line

HOST = Path("/sys/devices/platform/vhci_hcd.0")
FREE, USED = 4, 6
FREE_LIMIT_S = 30.0


class Plugged:
    """`number`: the port of the emulated host. Within `with` the box is plugged in; `port` is its name in sysfs."""

    def __init__(self, box: Box, number: int = 0) -> None:
        self._box, self._number = box, number
        self._wanted = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._closed = False
        self.faults: list[str] = []

    def __enter__(self) -> "Plugged":
        self._box.on_change = self._changed
        self._thread.start()
        self._changed()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._box.unplug()
        self._wanted.release()
        self._thread.join(FREE_LIMIT_S)

    @property
    def port(self) -> str:
        """Such as "1-1"."""
        hubs = [path.name for path in HOST.glob("usb[0-9]*")]
        lowest = min(int(name.removeprefix("usb")) for name in hubs)
        return f"{lowest}-{self._number + 1}"

    def _changed(self) -> None:
        if self._box.is_present:
            self._wanted.release()

    def _keep(self) -> None:
        while not self._closed:
            self._wanted.acquire()
            if not self._closed and self._box.is_present:
                self._plug()

    def _plug(self) -> None:
        deadline_s = time.monotonic() + FREE_LIMIT_S
        while self._status() != FREE:
            if time.monotonic() > deadline_s:
                self.faults.append(f"port {self._number} stays in use: {self._status()}")
                return
            time.sleep(0.05)
        ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        line = Line(ours, self._box, None)
        self._box.attached(line)
        (HOST / "attach").write_text(f"{self._number} {kernels.fileno()} {1 << 16 | self._box.devnum} {HIGH_SPEED}")
        kernels.close()
        threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    @staticmethod
    def _serve(line: Line) -> None:
        with contextlib.suppress(OSError):
            line.serve()

    def _status(self) -> int:
        for text in (HOST / "status").read_text().splitlines():
            fields = text.split()
            if fields[0] == "hs" and int(fields[1]) == self._number:
                return int(fields[2])
        return 0
