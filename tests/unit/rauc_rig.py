"""RAUC itself with two slots that are files, on a bus of its own; bundles made by image-build/bundle. The kernel's verity is left to the
image's tests: bundles here are "plain".
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.system.update.places import Places

BUNDLE = Path(__file__).parents[2] / "image-build/bundle/bundle.sh"
LIMIT_S = 30.0
CONFIG = """
[system]
compatible={compatible}
bootloader=grub
grubenv={folder}/grubenv
statusfile={folder}/central.raucs
mountprefix={folder}/mounts

[keyring]
path={folder}/keys/ca.pem
use-bundle-signing-time=true

[slot.rootfs.0]
device={folder}/slot-a
type=ext4
bootname=A

[slot.rootfs.1]
device={folder}/slot-b
type=ext4
bootname=B
"""


class Rig:
    """`booted`: which slot is said to have been started."""

    def __init__(self, folder: Path, booted: str = "A") -> None:
        self.folder = folder
        self.booted = booted
        self.address = f"unix:path={folder}/bus"
        for name in ("a", "b"):
            self._run("truncate", "-s", "16M", str(folder / f"slot-{name}"))
        self._run("grub-editenv", str(folder / "grubenv"), "create")
        self.set_grub("ORDER=A B", "A_OK=1", "A_TRY=0", "A_GOOD=1", "B_OK=0", "B_TRY=0", "B_GOOD=1")
        self.write_config("careline-amd64")
        (folder / "os-release").write_text('IMAGE_VERSION="1.0"\n')
        (folder / "boot").write_text("first\n")

    @property
    def places(self) -> Places:
        environment = ("env", "DBUS_STARTER_BUS_TYPE=session", f"DBUS_SESSION_BUS_ADDRESS={self.address}")
        return Places(
            data=self.folder / "data",
            run=self.folder / "run",
            store=self.folder / "data" / "careline.db",
            rauc=(*environment, "rauc", "-c", str(self.folder / "system.conf")),
            restart=("touch", str(self.folder / "restarted")),
            lsblk=("echo", '{"blockdevices": []}'),
            grub_env=("grub-editenv", str(self.folder / "grubenv")),
            release=self.folder / "os-release",
            boot_id=self.folder / "boot",
        )

    def write_config(self, compatible: str) -> None:
        (self.folder / "system.conf").write_text(CONFIG.format(folder=self.folder, compatible=compatible))

    def bundle(self, version: str, name: str = "", keys: str = "keys") -> Path:
        """A slot's worth of nothing much, signed."""
        slot, output = self.folder / f"{version}.ext4", self.folder / f"{name or version}.raucb"
        self._run("truncate", "-s", "8M", str(slot))
        self._run("mke2fs", "-q", "-F", "-L", version, str(slot))
        with slot.open("r+b") as file:  # some of it does not compress: RAUC wants more than a page of content
            file.seek(4 << 20)
            file.write(os.urandom(1 << 20))
        environment = {**os.environ, "CARELINE_KEYS_DIR": str(self.folder / keys), "CARELINE_BUNDLE_FORMAT": "plain"}
        self._run(str(BUNDLE), str(slot), version, str(output), environment=environment)
        return output

    def grub(self) -> dict[str, str]:
        listed = self._run("grub-editenv", str(self.folder / "grubenv"), "list")
        return dict(line.split("=", 1) for line in listed.splitlines())

    def set_grub(self, *values: str) -> None:
        self._run("grub-editenv", str(self.folder / "grubenv"), "set", *values)

    def start(self, slot: str) -> None:
        """As if that slot had been started."""
        self.booted = slot
        (self.folder / "boot").write_text(f"boot {time.monotonic_ns()}\n")

    @contextmanager
    def serving(self) -> Iterator[None]:
        """The bus, and RAUC on it."""
        bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", f"--address={self.address}"], stderr=subprocess.DEVNULL)
        try:
            self._wait_for(self.folder / "bus")
            service = subprocess.Popen(
                [*self.places.rauc, f"--override-boot-slot={self.booted}", "service"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                self._wait_until_answering()
                yield
            finally:
                service.terminate()
                service.wait(LIMIT_S)
        finally:
            bus.terminate()
            bus.wait(LIMIT_S)

    def _wait_until_answering(self) -> None:
        until_s = time.monotonic() + LIMIT_S
        while subprocess.run([*self.places.rauc, "status"], capture_output=True, timeout=LIMIT_S, check=False).returncode:
            assert time.monotonic() < until_s, "rauc does not answer"
            time.sleep(0.05)

    @staticmethod
    def _wait_for(path: Path) -> None:
        until_s = time.monotonic() + LIMIT_S
        while not path.exists():
            assert time.monotonic() < until_s, path
            time.sleep(0.02)

    @staticmethod
    def _run(*command: str, environment: dict[str, str] | None = None) -> str:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, env=environment, check=False)
        assert done.returncode == 0, done.stderr or done.stdout
        return done.stdout
