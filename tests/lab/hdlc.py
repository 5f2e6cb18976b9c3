"""HDLC by hand, for frames no driver would send: with a bad check sum, or broken off. Pure.

Octets as they go over a timeslot, first bit highest. Source: Q.921 clauses 2.2 to 2.7, ISO/IEC 13239.
"""

from collections.abc import Iterator

BLOCK_BYTES = 160
FLAG = "01111110"


def spoilt(frame: bytes) -> bytes:
    """One block with that frame and a check sum that is wrong."""
    return _block(FLAG * 4 + _stuffed(frame + bytes(value ^ 0xFF for value in check_sum(frame))) + FLAG)


def broken_off(frame: bytes) -> bytes:
    """One block with the beginning of that frame, which then ends in ones."""
    return _block(FLAG * 4 + _stuffed(frame))


def sound(frame: bytes) -> bytes:
    """One block with that frame as it should be."""
    return _block(FLAG * 4 + _stuffed(frame + check_sum(frame)) + FLAG)


def check_sum(frame: bytes) -> bytes:
    """CRC-16 of X.25 with the low octet first."""
    value = 0xFFFF
    for octet in frame:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return (value ^ 0xFFFF).to_bytes(2, "little")


def _stuffed(octets: bytes) -> str:
    return "".join(_with_zeros(bit for octet in octets for bit in f"{octet:08b}"[::-1]))


def _with_zeros(bits: Iterator[str]) -> Iterator[str]:
    ones = 0
    for bit in bits:
        yield bit
        ones = ones + 1 if bit == "1" else 0
        if ones == 5:
            yield "0"
            ones = 0


def _block(bits: str) -> bytes:
    filled = bits.ljust(8 * BLOCK_BYTES, "1")
    return bytes(int(filled[at : at + 8], 2) for at in range(0, 8 * BLOCK_BYTES, 8))
