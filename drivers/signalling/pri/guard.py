"""What libpri is not shown. Pure.

libpri keeps a record for every call reference it hears of, and for some messages never lets it go again. So a message about a call nobody
knows becomes what the Recommendation takes it for, and one that cannot be read becomes one that is ignored; the frame keeps its number in
the sequence. Source: Q.931 clauses 5.8.1 (protocol discriminator), 5.8.2 (too short), 5.8.3 (call reference).
"""

from collections.abc import Container

Q931 = 0x08
SETUP, RESTART, RESTART_ACK, RELEASE, RELEASE_COMPLETE, STATUS_ENQUIRY, STATUS = 0x05, 0x46, 0x4E, 0x4D, 0x5A, 0x75, 0x7D
_OPENING = (SETUP, RELEASE, RELEASE_COMPLETE)  # what may be said of a call that is not known
_IGNORED = b"\x00\x00\x00"  # no protocol of ours
_FROM_CALLED = 0x8000  # the flag: of a call we began


def shown(frame: bytes, known: Container[int], service: bool) -> bytes:
    """The frame as libpri may have it. `known`: references of our calls as they stand in frames; `service`: SERVICE messages are used."""
    head = _header_length(frame)
    if not head or len(frame) == head:
        return frame
    return frame[:head] + _message(frame[head:], known, service)


def _header_length(frame: bytes) -> int:
    """Octets before the message; 0: a frame without one. Source: Q.921 clause 2."""
    if len(frame) < 3:
        return 0
    if not frame[2] & 1:
        return 4
    return 3 if frame[2] & 0xEF == 0x03 else 0


def _message(message: bytes, known: Container[int], service: bool) -> bytes:
    if len(message) < 3 or message[1] > 2 or len(message) < 3 + message[1]:
        return _IGNORED
    length = message[1]
    reference = int.from_bytes(message[2 : 2 + length], "big") if length == 2 else 0
    if message[0] != Q931:
        return message if service and length and not reference else _IGNORED
    if length != 2:
        return message if not length else _IGNORED
    return _of_call(message, reference, message[4], known)


def _of_call(message: bytes, reference: int, kind: int, known: Container[int]) -> bytes:
    if not reference & ~_FROM_CALLED:
        return message if kind in (RESTART, RESTART_ACK, STATUS) and _readable(message[5:]) else _IGNORED
    if kind in (RESTART, RESTART_ACK):
        return _IGNORED
    if reference in known:
        return message
    if kind in _OPENING and _readable(message[5:]) and not (kind == SETUP and reference & _FROM_CALLED):
        return message
    return message[:4] + bytes([STATUS_ENQUIRY])


def _readable(elements: bytes) -> bool:
    """The first element does not reach beyond the message."""
    if not elements or elements[0] & 0x80:
        return True
    return len(elements) >= 2 and 2 + elements[1] <= len(elements)
