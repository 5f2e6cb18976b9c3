"""When a certificate ends, read from the certificate itself: the library of the ciphers would be 4 MB for this one date. Pure.

Source: RFC 5280, 4.1: Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] version, serialNumber, signature, issuer, validity, … } … };
X.690 for how that is in bytes.
"""

import base64
import re
from datetime import UTC, datetime

PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
SEQUENCE, VERSION, UTC_TIME, GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
SERIAL_TO_ISSUER = 3
LONG_FORM = 0x80


def end_of(pem: bytes) -> datetime:
    """notAfter of the first certificate in the text. Raises: ValueError when there is none, or it is not whole."""
    found = PEM.search(pem)
    if found is None:
        raise ValueError("no certificate")
    certificate = _inside(base64.b64decode(found[1]), SEQUENCE)
    fields = _inside(certificate, SEQUENCE)
    if fields[:1] == bytes([VERSION]):
        _, _, fields = _element(fields)
    for _ in range(SERIAL_TO_ISSUER):
        _, _, fields = _element(fields)
    _, _, rest = _element(_inside(fields, SEQUENCE))
    tag, text, _ = _element(rest)
    return _time(tag, text.decode("ascii"))


def _time(tag: int, text: str) -> datetime:
    """A year of two digits from 50 on is of the last century (4.1.2.5.1)."""
    if tag == UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    elif tag != GENERALIZED_TIME:
        raise ValueError("no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _inside(encoded: bytes, wanted: int) -> bytes:
    tag, content, _ = _element(encoded)
    if tag != wanted:
        raise ValueError(f"tag {tag:#x} where {wanted:#x} should be")
    return content


def _element(encoded: bytes) -> tuple[int, bytes, bytes]:
    """Tag and content of the first element, and what comes after it."""
    if len(encoded) < 2:
        raise ValueError("ends too early")
    length, begin = encoded[1], 2
    if length >= LONG_FORM:
        begin += length - LONG_FORM
        length = int.from_bytes(encoded[2:begin])
    end = begin + length
    if end > len(encoded):
        raise ValueError("ends too early")
    return encoded[0], encoded[begin:end], encoded[end:]
