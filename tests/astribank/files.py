"""Synthetic firmware files: right in form, without meaning. None of any maker's."""

import random
import zlib
from collections.abc import Iterable


def record(address: int, content: bytes, kind: int = 0) -> str:
    raw = bytes((len(content),)) + address.to_bytes(2, "big") + bytes((kind,)) + content
    return f":{(raw + bytes((-sum(raw) & 0xFF,))).hex().upper()}"


END = ":00000001FF"


def hex_file(name: str, version: str, records: Iterable[tuple[int, bytes]]) -> bytes:
    lines = [f"# $Id: {name} {version} 2020-01-01 00:00:00Z nobody $", *(record(*each) for each in records), END]
    return ("\n".join(lines) + "\n").encode()


def fx2_program(seed: int = 1, length: int = 3000) -> bytes:
    """A jump at the processor's begin, a vector, a long run, another behind a gap."""
    noise = random.Random(seed)
    parts = [(0, bytes((2, 0, 0x80))), (0x33, noise.randbytes(61))]
    parts += [(0x80 + at, noise.randbytes(min(16, length - at))) for at in range(0, length, 16)]
    parts += [(0x1100 + at, noise.randbytes(21)) for at in range(0, 21 * 60, 21)]
    return hex_file("USB_FW.hex", "7701", parts)


def fpga_image(name: str = "FPGA_1151.hex", seed: int = 2, records: int = 40) -> bytes:
    noise = random.Random(seed)
    return hex_file(name, "10401", ((32 * at & 0xFFFF, noise.randbytes(32)) for at in range(records)))


def pic_program(number: int, records: int = 20) -> bytes:
    noise = random.Random(number)
    return hex_file(f"PIC_TYPE_{number}.hex", "9001", ((at, noise.randbytes(3)) for at in range(records)))


def digium_blob(version: int = 0x30017, length: int = 4096) -> bytes:
    """Mark, check sum, padding, version, body; the sum is of all behind it."""
    body = bytes(18) + version.to_bytes(4, "little") + random.Random(3).randbytes(length)
    return b"DIGIUM" + zlib.crc32(body).to_bytes(4, "little") + body
