"""Frames on a socket: a 4-byte big-endian length and one msgpack message."""

import struct
from collections.abc import Iterator

import msgspec

from drivers.errors import ProtocolError

MAX_FRAME_BYTES = 1 << 20
MAX_WELCOME_BYTES = 64 << 20  # while nothing can be written the legs of calls that are over are kept, and all they carry


def encode(message: msgspec.Struct) -> bytes:
    """One frame: length and body."""
    body = msgspec.msgpack.encode(message)
    return struct.pack(">I", len(body)) + body


class FrameReader:
    """Cuts a byte stream into messages of the given union; holds at most one unfinished frame.

    Raises: ProtocolError for a length over `most_bytes` or a body that is not one of the messages; the connection is then useless.
    """

    def __init__(self, messages: object, most_bytes: int = MAX_FRAME_BYTES) -> None:
        self._decode = msgspec.msgpack.Decoder(messages).decode
        self._most_bytes = most_bytes
        self._buffer = bytearray()

    def feed(self, received: bytes) -> Iterator[object]:
        """Messages completed by these bytes, in order."""
        self._buffer += received
        while len(self._buffer) >= 4:
            (length,) = struct.unpack_from(">I", self._buffer)
            if length > self._most_bytes:
                raise ProtocolError(
                    "LIN-020",
                    f"a frame of {length} bytes on the socket",
                    "Connect a Careline program of this version",
                )
            if len(self._buffer) < 4 + length:
                return
            body = bytes(self._buffer[4 : 4 + length])
            del self._buffer[: 4 + length]
            yield self._message(body)

    def _message(self, body: bytes) -> object:
        try:
            return self._decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ProtocolError(
                "LIN-021",
                f"not a message on the socket: {error}",
                "Connect a Careline program of this version",
            ) from error
