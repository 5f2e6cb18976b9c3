"""What a message says: user data with its header, and a long text in parts. Pure.

Source: 3GPP TS 23.040, 9.2.3.24 (user data and header), 9.2.3.24.1 and .8 (concatenation); TS 23.038, 4 (data coding scheme).
"""

from collections.abc import Callable, Iterator
from itertools import chain

import msgspec

from drivers.modem import gsm7

SINGLE_SEPTETS, PART_SEPTETS = 160, 153
SINGLE_UNITS, PART_UNITS = 70, 67
PARTS_MOST = 255
GSM7, UCS2 = 0x00, 0x08  # data coding schemes we send
HEADER_SEPTETS, HEADER_FILL_BITS = 7, 1  # a header of 6 octets takes 48 bits; the text begins at the next septet
CONCAT_8, CONCAT_16 = 0x00, 0x08


class Concat(msgspec.Struct, frozen=True):
    """Which part of which message: `reference` is the sender's, `number` from 1 to `count`."""

    reference: int
    count: int
    number: int


class Body(msgspec.Struct, frozen=True):
    """User data of one part. `length`: septets or octets, header included. `coding`: GSM7 or UCS2."""

    octets: bytes
    length: int
    coding: int
    concat: Concat | None = None


def bodies(text: str, reference: int) -> tuple[Body, ...]:
    """`text` as one message or as parts that carry `reference` (0 to 255). Letters are never cut.

    Raises: ValueError for a text of more than 255 parts.
    """
    by_letter, encode, single, most = _coding(text)
    if sum(map(by_letter, text)) <= single:
        return (encode(text, None),)
    parts = list(_cut(text, by_letter, most))
    if len(parts) > PARTS_MOST:
        raise ValueError(f"the text has {len(parts)} parts, a message has at most {PARTS_MOST}")
    return tuple(encode(part, Concat(reference, len(parts), number)) for number, part in enumerate(parts, 1))


def _coding(text: str) -> tuple[Callable[[str], int], Callable[[str, Concat | None], Body], int, int]:
    if gsm7.is_gsm7(text):
        return _septets, _gsm7_body, SINGLE_SEPTETS, PART_SEPTETS
    return _units, _ucs2_body, SINGLE_UNITS, PART_UNITS


def _septets(letter: str) -> int:
    return len(gsm7.septets_of(letter) or ())


def _units(letter: str) -> int:
    """UTF-16 units: a letter outside the first plane is two, and stays whole."""
    return 2 if ord(letter) > 0xFFFF else 1


def _cut(text: str, by_letter: Callable[[str], int], most: int) -> Iterator[str]:
    begin, used = 0, 0
    for place, letter in enumerate(text):
        takes = by_letter(letter)
        if used + takes > most:
            yield text[begin:place]
            begin, used = place, 0
        used += takes
    yield text[begin:]


def _header(concat: Concat) -> bytes:
    return bytes((5, CONCAT_8, 3, concat.reference & 0xFF, concat.count, concat.number))


def _gsm7_body(text: str, concat: Concat | None) -> Body:
    septets = gsm7.encode(text)
    if concat is None:
        return Body(gsm7.pack(septets), len(septets), GSM7)
    return Body(_header(concat) + gsm7.pack(septets, HEADER_FILL_BITS), HEADER_SEPTETS + len(septets), GSM7, concat)


def _ucs2_body(text: str, concat: Concat | None) -> Body:
    octets = (_header(concat) if concat else b"") + text.encode("utf-16-be", "surrogatepass")
    return Body(octets, len(octets), UCS2, concat)


class Said(msgspec.Struct, frozen=True):
    """User data read. `text` may end in half a letter of a sender who cuts letters: `joined` mends it. `binary`: no text, but this."""

    text: str
    concat: Concat | None = None
    binary: bytes = b""


def read(octets: bytes, length: int, coding: int, has_header: bool) -> Said:
    """Raises: ValueError for a header longer than the data."""
    header = _read_header(octets) if has_header else b""
    concat = _concat_in(header)
    alphabet = _alphabet(coding)
    skipped = len(header) + 1 if has_header else 0
    if alphabet == "gsm7":
        fill = -skipped * 8 % 7
        count = length - (skipped * 8 + fill) // 7
        return Said(gsm7.decode(gsm7.unpack(octets[skipped:], max(0, count), fill)), concat)
    content = octets[skipped:length]
    if alphabet == "ucs2":
        return Said(content[: len(content) // 2 * 2].decode("utf-16-be", "surrogatepass"), concat)
    return Said("", concat, content)


def joined(texts: list[str]) -> str:
    """Pieces of one text in order; halves of a letter that belong together are put together, others are told as �."""
    return "".join(texts).encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def _read_header(octets: bytes) -> bytes:
    if not octets or octets[0] + 1 > len(octets):
        raise ValueError("its header is longer than the message")
    return octets[1 : octets[0] + 1]


def _elements(header: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + 2 <= len(header):
        end = place + 2 + header[place + 1]
        yield header[place], header[place + 2 : end]
        place = end


def _concat_in(header: bytes) -> Concat | None:
    found = chain.from_iterable(_concat_of(kind, value) for kind, value in _elements(header))
    return next((concat for concat in found if 1 <= concat.number <= concat.count), None)


def _concat_of(kind: int, value: bytes) -> Iterator[Concat]:
    if kind == CONCAT_8 and len(value) == 3:
        yield Concat(value[0], value[1], value[2])
    elif kind == CONCAT_16 and len(value) == 4:
        yield Concat(value[0] << 8 | value[1], value[2], value[3])


def _alphabet(coding: int) -> str:
    """gsm7, ucs2 or octets. What is reserved is read as the default alphabet, as 23.038, 4 asks."""
    group = coding >> 4
    if group < 0b1000:
        compressed = coding & 0x20
        return "octets" if compressed else ("gsm7", "octets", "ucs2", "gsm7")[coding >> 2 & 3]
    if group == 0b1110:
        return "ucs2"
    return "octets" if group == 0b1111 and coding & 4 else "gsm7"
