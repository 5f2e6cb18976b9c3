"""Programs of the modules in an Astribank of the family 116x, over its telephony interface. One thread.

Only the end of a file is answered (0: its check sum is right); the data before it is not. Source: dahdi-tools 3, xpp/pic_loader.c.
"""

import re
import struct
from collections.abc import Sequence
from enum import IntFlag

from firmware_shims.errors import BAD_ANSWER, LOADING_FAILED, FirmwareError
from firmware_shims.intel_hex import HexFile
from firmware_shims.usb_link import UsbPipe

INTERFACE = 0
HEAD = struct.Struct("<HBBBBH")  # length, operation, unit; flags, type of the module, place
REQUEST, REPLY = 0x09, 0x0A
LIMIT_MS = 500


class Part(IntFlag):
    DATA = 0
    START = 1
    END = 2
    ALL_DONE = 4


def load(pipe: UsbPipe, files: Sequence[HexFile], where: str) -> None:
    """All files, then the word that all modules may start. Raises: FirmwareError CRD-011, CRD-013, CRD-017."""
    for file in files:
        _load_one(pipe, file, where)
    _send(pipe, Part.ALL_DONE, 0, 0, b"")


def module_type(name: str) -> int:
    """The number in PIC_TYPE_n.hex."""
    found = re.fullmatch(r"PIC_TYPE_(\d)\.hex", name)
    assert found is not None, name
    return int(found[1])


def _load_one(pipe: UsbPipe, file: HexFile, where: str) -> None:
    module, total = module_type(file.name), 0
    _send(pipe, Part.START, module, 0, b"")
    for record in file.records:
        _send(pipe, Part.DATA, module, record.address, record.data)
        for byte in record.data:
            total ^= byte
    _send(pipe, Part.END, module, 0, bytes((total,)))
    answer = pipe.receive(LIMIT_MS)
    if len(answer) <= HEAD.size or answer[2] != REPLY:
        raise FirmwareError(BAD_ANSWER, f"{where}: no right answer to {file.name}: {answer[:12].hex(' ')}", "Try again; then another cable")
    if answer[HEAD.size]:
        what = f"{where}: the modules did not get {file.name} whole (answer {answer[HEAD.size]:02X})"
        raise FirmwareError(LOADING_FAILED, what, "Unplug the box for ten seconds and plug it in again")


def _send(pipe: UsbPipe, part: Part, module: int, place: int, content: bytes) -> None:
    pipe.send(HEAD.pack(HEAD.size + len(content), REQUEST, 0, part, module, place) + content, LIMIT_MS)
