"""Numbered audio for lab scenarios: every 8 bytes (1 ms, the drivers' chunk) carry their own number, so loss and delay can be counted.

Guest only. Python is slow here: for one or two pairs; many pairs are `pump.c`'s.
"""

import struct
import time

from drivers.dahdi.device import Channel, EventPendingError
from drivers.dahdi.records import BLOCK_SAMPLES

CHUNK_BYTES = 8
CHUNKS_PER_BLOCK = BLOCK_SAMPLES // CHUNK_BYTES
SILENCE = b"\xd5" * CHUNK_BYTES
_FORMAT = struct.Struct(">II")
_MASK = 0xFFFFFFFF
_KEY = 0x5A5A1234


def chunk(number: int) -> bytes:
    """Chunk of that number: the number and its check."""
    return _FORMAT.pack(number, number * 2654435761 & _MASK ^ _KEY)


def numbered_block(first_chunk: int) -> bytes:
    """160 bytes with chunks first_chunk, first_chunk + 1, .."""
    return b"".join(chunk(first_chunk + at) for at in range(CHUNKS_PER_BLOCK))


def numbers_in(audio: bytes) -> list[int | None]:
    """The number of each chunk, None for anything else (silence, damage)."""
    return [_number_of(audio[at : at + CHUNK_BYTES]) for at in range(0, len(audio), CHUNK_BYTES)]


def _number_of(part: bytes) -> int | None:
    if len(part) != CHUNK_BYTES:
        return None
    number, _ = _FORMAT.unpack(part)
    return number if chunk(number) == part else None


class Voice:
    """Reads and writes one channel, taking events off when they stand in the way."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.heard = b""
        self.events: list[int] = []

    def say(self, audio: bytes, limit_s: float = 10.0) -> None:
        """Write all of it, as fast as the buffers take it."""
        deadline = time.monotonic() + limit_s
        for at in range(0, len(audio), BLOCK_SAMPLES):
            while not self._written(audio[at : at + BLOCK_SAMPLES]):
                assert time.monotonic() < deadline, f"{self.channel.where} takes no audio"
                time.sleep(0.004)

    def listen(self) -> bytes:
        """Everything that waits; also kept in `heard`."""
        new = b""
        while block := self._read():
            new += block
        self.heard += new
        return new

    def hear_for(self, for_s: float, *others: "Voice") -> None:
        """Listen for a while, on the others too."""
        deadline = time.monotonic() + for_s
        while time.monotonic() < deadline:
            for voice in (self, *others):
                voice.listen()
            time.sleep(0.005)

    def _written(self, block: bytes) -> bool:
        try:
            return self.channel.write_block(block)
        except EventPendingError:
            self._take_events()
            return False

    def _read(self) -> bytes:
        try:
            return self.channel.read_block()
        except EventPendingError:
            self._take_events()
            return self._read()

    def _take_events(self) -> None:
        while event := self.channel.get_event():
            self.events.append(event)
