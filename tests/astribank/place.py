"""The box's place in a sysfs below a folder, as the kernel would show it, kept up to date while it leaves and comes back."""

import shutil
from pathlib import Path

from tests.astribank.box import Box

PORT = "1-1"


class Place:
    """`root`: a folder; `port`: where the box is plugged in."""

    def __init__(self, root: Path, box: Box, port: str = PORT) -> None:
        self._real = root / "sys/devices/pci0000:00/usb1" / port
        self._link = root / "sys/bus/usb/devices" / port
        self._box = box
        self._link.parent.mkdir(parents=True, exist_ok=True)
        box.on_change = self.show
        self.show()

    def show(self) -> None:
        self._link.unlink(missing_ok=True)
        shutil.rmtree(self._real, ignore_errors=True)
        if not self._box.is_present:
            return
        self._real.mkdir(parents=True)
        for name, text in self._texts().items():
            (self._real / name).write_text(text + "\n")
        self._link.symlink_to(self._real)

    def _texts(self) -> dict[str, str]:
        box = self._box
        texts = {"idVendor": "e4e4", "idProduct": f"{box.product:04x}", "bcdDevice": f"{box.revision:04x}"}
        texts |= {"busnum": "1", "devnum": str(box.devnum)}
        return texts | ({"serial": box.serial} if box.product & 0xF in (1, 2) else {})
