"""Where updates have their things, and the programs they call. Tests point them elsewhere. Pure."""

from pathlib import Path

import msgspec

from appliance.system.box import Box
from drivers.settings import Paths


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """`rauc`: the program and its options. `release`: os-release of the image."""

    data: Path
    run: Path
    store: Path
    rauc: tuple[str, ...] = ("rauc",)
    restart: tuple[str, ...] = ("systemctl", "reboot")
    lsblk: tuple[str, ...] = ("lsblk",)
    grub_env: tuple[str, ...] = ("grub-editenv", "/efi/grub/grubenv")
    release: Path = Path("/etc/os-release")
    boot_id: Path = Path("/proc/sys/kernel/random/boot_id")

    @property
    def own(self) -> Path:
        return self.data / "system" / "update"

    @property
    def incoming(self) -> Path:
        """The web puts uploads there."""
        return self.data / "system" / "incoming"

    @property
    def bundle(self) -> Path:
        """What is being installed from a stick; RAUC, which sees no stick mounted by us, reads it there."""
        return self.own / "stick.raucb"

    @property
    def mounts(self) -> Path:
        return self.run / "sticks"


def places_of(box: Box) -> Places:
    return of_paths(box.config.paths)


def of_paths(paths: Paths) -> Places:
    return Places(data=Path(paths.data_dir), run=Path(paths.run_dir), store=paths.database)
