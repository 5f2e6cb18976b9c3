"""A far side that keeps Q.921 well enough to be heard and then says anything at all in Q.931; everything from one seed."""

import logging
import random
import resource
import sys
import time
from typing import Literal, get_args

from drivers.signalling import (
    AlertWanted,
    AnswerWanted,
    CallOffered,
    CallReleased,
    CallWanted,
    FrameReceived,
    ReleaseWanted,
)
from drivers.signalling.pri.config import PriConfig, Switch
from tests.unit.pri_pair import D_CHANNEL, Pair, Side

MESSAGES = (0x01, 0x02, 0x03, 0x05, 0x07, 0x0B, 0x0D, 0x0F, 0x20, 0x21, 0x22, 0x24, 0x25, 0x26, 0x28, 0x2D, 0x2E, 0x30, 0x31, 0x33, 0x37,
            0x40, 0x45, 0x46, 0x4D, 0x4E, 0x5A, 0x60, 0x62, 0x64, 0x6E, 0x75, 0x79, 0x7B, 0x7D)  # fmt: skip
ELEMENTS = (0x04, 0x08, 0x10, 0x14, 0x18, 0x1C, 0x1E, 0x20, 0x27, 0x28, 0x29, 0x2C, 0x34, 0x4C, 0x4D, 0x6C, 0x6D, 0x70, 0x71, 0x74, 0x76,
            0x78, 0x79, 0x7C, 0x7D, 0x7E, 0x90, 0x95, 0x96, 0x9E, 0xA1, 0xD0)  # fmt: skip
SENSIBLE = {
    0x04: b"\x80\x90\xa3",
    0x08: b"\x82\x90",
    0x18: b"\xa9\x83\x83",
    0x1C: b"\x91\xa1\x0f\x02\x01\x05\x06\x07\x2a\x86\x48\xce\x15\x00\x08\x30\x01\x00",
    0x1E: b"\x82\x88",
    0x27: b"\xf9",
    0x28: b"\xb1caller",
    0x6C: b"\x21\x83138001380",
    0x70: b"\xa188886666",
    0x74: b"\x21\x00\x8f5551234",
    0x79: b"\x87",
}
SWITCHES_TOLD: tuple[Switch, ...] = get_args(Switch)
SABME, UA_FINAL, SETUP = 0x7F, 0x73, 0x05


class Liar:
    """The other end of the link of one side of a Pair, whose own other side is silenced."""

    def __init__(self, pair: Pair, side: Side, seed: int) -> None:
        self.chance = random.Random(seed)
        network = side is pair.user
        self._command, self._response = (0x02, 0x00) if network else (0x00, 0x02)  # Source: Q.921 table 1
        self._pair, self._side = pair, side
        self._sent = self._heard = 0
        self._references: list[bytes] = [b"\x02\x00\x01"]
        self.payloads: list[bytes] = []
        side.send = self._hear
        self._say(bytes([self._command, 0x01, SABME]))

    def _say(self, frame: bytes) -> None:
        self._pair.after(0.001, lambda: self._side.tell(D_CHANNEL, FrameReceived(frame)))

    def _hear(self, frame: bytes) -> None:
        control = frame[2]
        if control == SABME:
            self._sent = self._heard = 0
            self._say(bytes([self._response, 0x01, UA_FINAL]))
        elif control & 1 == 0 and len(frame) > 4:
            self._heard = (self._heard + 1) & 0x7F
            self._remember(frame[4:])
            self._say(bytes([self._response, 0x01, 0x01, self._heard << 1]))
        elif control & 3 == 1 and len(frame) > 3 and frame[3] & 1 and frame[0] & 2 == self._response:
            self._say(bytes([self._response, 0x01, 0x01, self._heard << 1 | 1]))

    def _remember(self, payload: bytes) -> None:
        """Speak of their calls, from the other end."""
        if len(payload) > 3 and payload[1] == 2:
            reference = bytes([2, payload[2] ^ 0x80, payload[3]])
            self._references = [*self._references[-7:], reference]
        self.payloads = [*self.payloads[-31:], payload]

    def lie(self) -> None:
        """One frame of some kind."""
        chance = self.chance
        kind = chance.random()
        if kind < 0.06:
            self._say(bytes(chance.randrange(256) for _ in range(chance.randrange(0, 300))))
        elif kind < 0.08:
            self._say(bytes([self._command, 0x01, chance.choice([SABME, 0x53, 0x0F, 0x87, 0x97, 0xAF, 0x03])]))
        else:
            self._say_payload(self._changed() if kind < 0.35 and self.payloads else self._message())

    def _say_payload(self, payload: bytes) -> None:
        frame = bytes([self._command, 0x01, self._sent << 1, self._heard << 1]) + payload[:290]
        self._sent = (self._sent + 1) & 0x7F
        self._say(frame)

    def _changed(self) -> bytes:
        payload = bytearray(self.chance.choice(self.payloads))
        if len(payload) > 2:
            payload[2] ^= 0x80
        for _ in range(self.chance.randrange(1, 6)):
            payload[self.chance.randrange(len(payload))] = self.chance.randrange(256)
        return bytes(payload[: self.chance.randrange(1, len(payload) + 1)]) if self.chance.random() < 0.3 else bytes(payload)

    def _message(self) -> bytes:
        chance = self.chance
        protocol = 0x08 if chance.random() < 0.93 else chance.choice([0x03, 0x43, chance.randrange(256)])
        reference = chance.choice(self._references)
        if chance.random() < 0.3:
            reference = chance.choice([b"\x00", b"\x01\x05", b"\x02\x00\x00", b"\x0f", b"\x02" + chance.randbytes(2)])
        body = b"".join(self._element() for _ in range(chance.randrange(0, 8)))
        if chance.random() < 0.5:
            body = b"\x04\x03\x80\x90\xa3" + self._channel() + body
        return bytes([protocol]) + reference + bytes([chance.choice(MESSAGES) if chance.random() < 0.85 else SETUP]) + body

    def _channel(self) -> bytes:
        return b"\x18\x03\xa9\x83" + bytes([0x80 | self.chance.randrange(0, 34)])

    def _element(self) -> bytes:
        chance = self.chance
        name = chance.choice(ELEMENTS)
        if name & 0x80:
            return bytes([name])
        content = bytearray(SENSIBLE.get(name, b"")) if chance.random() < 0.7 else bytearray(chance.randbytes(chance.randrange(0, 60)))
        if content and chance.random() < 0.4:
            content[chance.randrange(len(content))] = chance.randrange(256)
        length = len(content) if chance.random() < 0.9 else chance.randrange(256)
        return bytes([name, length]) + bytes(content)


def fuzz(seed: int, frames: int, ours: PriConfig) -> Pair:
    """So many lies to our side (user or network), which calls, answers and hangs up all the while; then a far side that behaves takes
    over. Our side is the pair's `user` or `network`, as configured."""
    pair = Pair(ours) if ours.side == "user" else Pair(network=ours)
    side, other = pair.sides if ours.side == "user" else pair.sides[::-1]
    behaving, other.send = other.send, lambda frame: None
    honest = side.send
    liar = Liar(pair, side, seed)
    pair.run(2)
    chance = random.Random(seed + 1)
    for _ in range(frames):
        liar.lie()
        if chance.random() < 0.2:
            live_on(side, chance)
        pair.run(chance.choice([0, 0.002, 0.02]) if chance.random() < 0.99 else 40)
    side.send, other.send = honest, behaving
    pair.run(60)
    for number in side.span.channels():
        side.tell(number, ReleaseWanted())
    pair.run(300)
    return pair


def stuck(pair: Pair) -> dict[int, str]:
    """Channels that are not free at both ends."""
    return {number: side.span.state_name(number) for side in pair.sides for number in side.span.channels() if not side.span.is_idle(number)}


def live_on(side: Side, chance: random.Random) -> None:
    number = chance.choice(side.span.channels())
    offered = [channel for channel, _ in side.of(CallOffered, CallReleased)]
    if offered and chance.random() < 0.5:
        number = offered[-1]
    wanted = chance.choice([CallWanted("114", "88886666"), AnswerWanted(), AlertWanted(), ReleaseWanted(), ReleaseWanted(17)])
    if not isinstance(wanted, CallWanted) or side.span.is_idle(number):
        side.tell(number, wanted)
    del side.news[:-200]


def main() -> None:
    """`python -m tests.unit.pri_liar [MINUTES]`: lies for so long, all switch types, ever new seeds; says what was seen."""
    until_s = time.monotonic() + 60 * float(sys.argv[1] if len(sys.argv) > 1 else 10)
    logging.disable(logging.CRITICAL)
    frames = taken = seed = 0
    while time.monotonic() < until_s:
        switch = SWITCHES_TOLD[seed % len(SWITCHES_TOLD)]
        side: Literal["user", "network"] = "network" if seed % 3 == 2 else "user"
        ours = PriConfig(
            d_channel=D_CHANNEL, switch=switch, side=side, overlap_receive=bool(seed & 8), service_messages=True, transfer=True
        )
        taken += len(stuck(fuzz(seed, 20_000, ours)))
        frames, seed = frames + 20_000, seed + 1
    print(f"{frames} frames, {seed} seeds, {taken} channels stuck, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss} kB at most")


if __name__ == "__main__":
    main()
