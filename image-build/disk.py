#!/usr/bin/env python3
"""Makes the disk image from what lies ready: root.ext4 (slot A), tree/boot's kernel is in it already.

Usage: disk.py OUT GRUB_CFG   (OUT has root.ext4; careline.img is made there). Needs sfdisk, mtools, mke2fs and GRUB's files for BIOS and
UEFI; no root's rights, no mount, no loop device. Everything random in it is fixed, so the same input makes the same image.
"""

import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import NamedTuple

SECTOR_BYTES = 512
MIB = 1 << 20
NAMESPACE = uuid.UUID("5c2b6d0e-8a55-4f0e-9d3b-3a6c1f9b7e21")  # any one, but always this one
GRUB_FILES = Path("/usr/lib/grub")
MODULES = ("part_gpt", "fat", "ext2", "normal", "loadenv", "test", "echo", "linux", "regexp", "reboot")
BIOS_MODULES = ("biosdisk", *MODULES)
UEFI_MODULES = MODULES
PREFIX = "(,gpt2)/grub"  # on the disk that GRUB was started from, whichever that is
GRUBENV_BYTES = 1024

# Types of partitions: UEFI 2.10 table 5.7; BIOS boot: GRUB's manual; root and variable data: the Discoverable Partitions Specification.
BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649"
ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
ROOT = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
VAR = "4D21B016-B534-45C2-A9FB-5C16E091FD2D"


class Partition(NamedTuple):
    """Number 1 is the first of the list; sizes in MiB."""

    name: str
    kind: str
    size_mib: int

    @property
    def uuid(self) -> str:
        return str(uuid.uuid5(NAMESPACE, self.name)).upper()


LAYOUT = (
    Partition("careline-bios", BIOS_BOOT, 1),
    Partition("careline-esp", ESP, 64),
    Partition("careline-a", ROOT, 768),
    Partition("careline-b", ROOT, 768),
    Partition("careline-data", VAR, 256),
)


def start_mib(name: str) -> int:
    """Where a partition begins; the first MiB is the partition table's."""
    at = 1
    for partition in LAYOUT:
        if partition.name == name:
            return at
        at += partition.size_mib
    raise KeyError(name)


def partition(name: str) -> Partition:
    return next(each for each in LAYOUT if each.name == name)


def run(*command: str | Path, **options: object) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        sys.exit(f"image: {command[0]} failed: {done.stderr or done.stdout}")


def make_table(image: Path) -> None:
    """An empty disk with its partitions, one MiB free at the end for the table's copy."""
    lines = ["label: gpt", f"label-id: {uuid.uuid5(NAMESPACE, 'disk')}", "first-lba: 2048", "sector-size: 512"]
    for each in LAYOUT:
        start, size = start_mib(each.name) * MIB // SECTOR_BYTES, each.size_mib * MIB // SECTOR_BYTES
        lines.append(f'start={start}, size={size}, type={each.kind}, uuid={each.uuid}, name="{each.name}"')
    with image.open("wb") as file:
        file.truncate((start_mib("careline-data") + partition("careline-data").size_mib + 1) * MIB)
    run("sfdisk", "--quiet", image, input="\n".join(lines) + "\n")


def place(image: Path, content: Path, name: str) -> None:
    """Copy a file system into its partition; empty blocks stay holes."""
    if content.stat().st_size > partition(name).size_mib * MIB:
        sys.exit(f"image: {content} has {content.stat().st_size} bytes, too many for its partition")
    run("dd", f"if={content}", f"of={image}", "bs=1M", f"seek={start_mib(name)}", "conv=notrunc,sparse")


def make_esp(esp: Path, grub_cfg: Path, work: Path) -> None:
    """The EFI partition: GRUB for UEFI, its configuration, an environment in which slot A is good."""
    core = work / "BOOTX64.EFI"
    run("grub-mkimage", "-O", "x86_64-efi", "-d", GRUB_FILES / "x86_64-efi", "-p", PREFIX, "-o", core, *UEFI_MODULES)
    config = grub_cfg.read_text().replace("@A_UUID@", partition("careline-a").uuid.lower())
    (work / "grub.cfg").write_text(config.replace("@B_UUID@", partition("careline-b").uuid.lower()))
    (work / "grubenv").write_bytes(grubenv({"ORDER": "A B", "A_OK": "1", "A_TRY": "0", "B_OK": "0", "B_TRY": "0"}))
    with esp.open("wb") as file:
        file.truncate(partition("careline-esp").size_mib * MIB)
    run("mformat", "-i", esp, "-v", "CARELINE", "-N", "ca7e11e5", "::")
    run("mmd", "-i", esp, "::/EFI", "::/EFI/BOOT", "::/grub")
    epoch = int(os.environ["SOURCE_DATE_EPOCH"])
    for file_, target in ((core, "EFI/BOOT"), (work / "grub.cfg", "grub"), (work / "grubenv", "grub")):
        os.utime(file_, (epoch, epoch))
        run("mcopy", "-m", "-i", esp, file_, f"::/{target}/")


def grubenv(values: dict[str, str]) -> bytes:
    """GRUB's environment block. Source: GRUB manual 17, "environment block"."""
    text = "# GRUB Environment Block\n" + "".join(f"{name}={value}\n" for name, value in values.items())
    return text.encode().ljust(GRUBENV_BYTES, b"#")


def write_bios_grub(image: Path, work: Path) -> None:
    """GRUB for BIOS: its first sector into the disk's, which loads the second, which knows where the rest lies.

    Source: GRUB's include/grub/i386/pc/boot.h (kernel sector at 0x5c, the jump to the drive check at 0x66) and diskboot.h (the list of
    blocks ends at 0x200, 12 bytes each: first sector, count, segment).
    """
    core_file = work / "core.img"
    run("grub-mkimage", "-O", "i386-pc", "-d", GRUB_FILES / "i386-pc", "-p", PREFIX, "-o", core_file, *BIOS_MODULES)
    core = bytearray(core_file.read_bytes())
    if len(core) > partition("careline-bios").size_mib * MIB:
        sys.exit("image: GRUB for BIOS is larger than its partition")
    core += bytes(-len(core) % SECTOR_BYTES)
    first = start_mib("careline-bios") * MIB // SECTOR_BYTES
    core[0x1F4:0x200] = (
        (first + 1).to_bytes(8, "little") + (len(core) // SECTOR_BYTES - 1).to_bytes(2, "little") + (0x820).to_bytes(2, "little")
    )
    boot = bytearray((GRUB_FILES / "i386-pc" / "boot.img").read_bytes())
    boot[0x5C:0x64] = first.to_bytes(8, "little")
    boot[0x66:0x68] = b"\x90\x90"  # the BIOS tells the drive; no jump past that
    with image.open("r+b") as disk:
        table = disk.read(SECTOR_BYTES)
        disk.seek(0)
        disk.write(boot[:440] + table[440:])
        disk.seek(first * SECTOR_BYTES)
        disk.write(core)


def make_data(content: Path) -> None:
    """An empty data partition; what it needs is made at first boot (tmpfiles.d)."""
    size_kib = partition("careline-data").size_mib * 1024
    options = f"hash_seed={uuid.uuid5(NAMESPACE, 'data-hash')},lazy_itable_init=1,lazy_journal_init=1"
    # Blocks of 4 KiB and a real journal, though it is small as yet: it grows with the disk.
    size = ("-b", "4096", "-i", "16384", "-J", "size=16")
    name = ("-L", "careline-data", "-U", str(uuid.uuid5(NAMESPACE, "data")))
    run("mke2fs", "-q", "-t", "ext4", *size, "-m", "1", *name, "-E", options, content, f"{size_kib}k")


def main() -> None:
    out, grub_cfg = Path(sys.argv[1]), Path(sys.argv[2])
    image = out / "careline.img"
    part = out / "careline.img.part"
    os.environ["E2FSPROGS_FAKE_TIME"] = os.environ["SOURCE_DATE_EPOCH"]
    with tempfile.TemporaryDirectory(dir=out) as folder:
        work = Path(folder)
        make_table(part)
        make_esp(work / "esp.img", grub_cfg, work)
        make_data(work / "data.ext4")
        place(part, work / "esp.img", "careline-esp")
        place(part, out / "root.ext4", "careline-a")
        place(part, work / "data.ext4", "careline-data")
        write_bios_grub(part, work)
    part.replace(image)


if __name__ == "__main__":
    main()
