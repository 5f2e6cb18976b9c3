"""The GSM 7-bit default alphabet with its extension table, and septets in octets. Pure.

Source: 3GPP TS 23.038, 6.1.2.1 (packing), 6.2.1 and 6.2.1.1 (tables).
"""

ESCAPE = 0x1B
_PLAIN = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = {0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€"}
_SEPTETS: dict[str, tuple[int, ...]] = {letter: (code,) for code, letter in enumerate(_PLAIN) if code != ESCAPE}
_SEPTETS |= {letter: (ESCAPE, code) for code, letter in _EXTENDED.items()}


def septets_of(letter: str) -> tuple[int, ...] | None:
    """One septet, two for a letter of the extension table, None for a letter the alphabet has not."""
    return _SEPTETS.get(letter)


def is_gsm7(text: str) -> bool:
    return all(letter in _SEPTETS for letter in text)


def encode(text: str) -> bytes:
    """One octet for each septet. Raises: KeyError for a letter the alphabet has not."""
    return bytes(septet for letter in text for septet in _SEPTETS[letter])


def decode(septets: bytes) -> str:
    """A code the extension table has not is read by the main table, an escape at the end is a space (23.038, 6.2.1 note 1)."""
    letters: list[str] = []
    escaped = False
    for septet in septets:
        if septet == ESCAPE and not escaped:
            escaped = True
            continue
        letters.append(_letter(septet, escaped))
        escaped = False
    return "".join(letters) + (" " if escaped else "")


def _letter(septet: int, escaped: bool) -> str:
    plain = " " if septet == ESCAPE else _PLAIN[septet]
    return _EXTENDED.get(septet, plain) if escaped else plain


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """Septets, the first in the lowest bits, behind `fill_bits` zeros (0 to 6) that bring them to a septet's border after a header."""
    value, bits = 0, fill_bits
    for septet in septets:
        value |= septet << bits
        bits += 7
    return value.to_bytes((bits + 7) // 8, "little")


def unpack(octets: bytes, count: int, fill_bits: int = 0) -> bytes:
    """`count` septets, or as many as the octets hold."""
    value = int.from_bytes(octets, "little") >> fill_bits
    held = max(0, (len(octets) * 8 - fill_bits) // 7)
    return bytes((value >> (7 * place)) & 0x7F for place in range(min(count, held)))
