"""Telephone numbers as PDUs have them (address fields), and when two of them are one telephone. Pure.

Source: 3GPP TS 23.040, 9.1.2.3 (semi-octets), 9.1.2.5 (address fields).
"""

from drivers.modem import gsm7

DIGITS = "0123456789*#abc"
FILL = 0xF
INTERNATIONAL, UNKNOWN = 0x91, 0x81
ALPHANUMERIC = 0b101
SAME_DIGITS = 7  # so many digits at the end make two numbers one telephone: an area's number without its code


def is_number(text: str) -> bool:
    """What a message can be sent to: digits, with a + before them or not."""
    digits = text.removeprefix("+")
    return 3 <= len(digits) <= 20 and digits.isascii() and digits.isdigit()


def semi_octets(digits: str) -> bytes:
    """Two digits an octet, the first in the lower half."""
    codes = [DIGITS.index(digit) for digit in digits] + [FILL] * (len(digits) % 2)
    return bytes(low | high << 4 for low, high in zip(codes[::2], codes[1::2], strict=True))


def digits_of(octets: bytes) -> str:
    """Up to the first fill."""
    halves = [half for octet in octets for half in (octet & 0xF, octet >> 4)]
    end = halves.index(FILL) if FILL in halves else len(halves)
    return "".join(DIGITS[half] for half in halves[:end])


def address(number: str) -> bytes:
    """Length in digits, type, digits."""
    digits = number.removeprefix("+")
    kind = INTERNATIONAL if number.startswith("+") else UNKNOWN
    return bytes((len(digits), kind)) + semi_octets(digits)


def read_address(length: int, octets: bytes) -> str:
    """`length` semi-octets of the value; `octets` the type, then the value."""
    kind = octets[0]
    if (kind >> 4) & 0b111 == ALPHANUMERIC:
        return gsm7.decode(gsm7.unpack(octets[1:], length * 4 // 7))
    return ("+" if (kind >> 4) & 0b111 == 1 else "") + digits_of(octets[1:])[:length]


def is_same(one: str, other: str) -> bool:
    """A report names the number as the network knows it: with country code, without the 0 of an area."""
    first, second = (number.removeprefix("+").lstrip("0") for number in (one, other))
    shorter, longer = sorted((first, second), key=len)
    return first == second or (len(shorter) >= SAME_DIGITS and longer.endswith(shorter))
