"""The card as the line server uses it, with the real media core: 24 pairs ring, answer, play, record, dial digits, bridge and hang up."""

import asyncio
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from drivers.dahdi.card import DahdiCard
from drivers.dahdi.channel import DahdiChannel
from drivers.dahdi.configure import configure
from drivers.errors import LineError
from drivers.io import Hook, LineEvent, Signalling, SpanStatus
from drivers.media import Engine, EngineConfig, EventKind, Law, MediaEvent
from tests.lab import cards
from tests.lab.exchange import WRITE_AHEAD
from tests.lab.scenario import Report, scenario

PAIRS = 24
WAIT_S = 30.0
CLIP_S = 3
"""240 ms: a loaded host stops the whole guest for a moment now and then, and silence in between would not be sample exact."""


class Rig:
    """All channels open, an engine running, events of both collected."""

    def __init__(self, pairs: int) -> None:
        self.setup = cards.analogue_pairs(pairs)
        cards.install(self.setup)
        self.engine = Engine(EngineConfig(max_ports=2 * pairs, max_lines=1, max_recordings=2 * pairs))
        self.card = DahdiCard(self.engine, write_ahead=WRITE_AHEAD)
        self.specs = self.card.channels()
        self.lines = {spec.number: self.card.open(spec.number) for spec in self.specs}
        self.ports = {spec.number: self.engine.port_new(Law.ALAW) for spec in self.specs}
        self.channel_of_port = {port: number for number, port in self.ports.items()}
        self.events: list[tuple[int, LineEvent]] = []
        self.spans: list[SpanStatus] = []
        self.media: list[MediaEvent] = []

    async def __aenter__(self) -> "Rig":
        self.card.start(lambda number, event: self.events.append((number, event)), self.spans.append)
        self.engine.start()
        asyncio.get_running_loop().add_reader(self.engine.eventfd, self._media_events)
        await asyncio.sleep(2.5)  # a ring within 2 s of on-hook is hidden by the driver
        self.events.clear()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.card.close()
        await asyncio.sleep(0.5)
        asyncio.get_running_loop().remove_reader(self.engine.eventfd)
        self.engine.close()

    def _media_events(self) -> None:
        os.eventfd_read(self.engine.eventfd)
        while events := self.engine.poll_events():
            for event in events:
                self._media_event(event)

    def _media_event(self, event: MediaEvent) -> None:
        if event.kind is EventKind.LINE_EVENT:
            self.card.line_event(self.channel_of_port[event.port], LineEvent(event.value))
        else:
            self.media.append(event)

    async def until(self, what: str, reached: Callable[[], bool]) -> None:
        """Wait for a condition. Raises: AssertionError naming it, with what was seen."""
        deadline = time.monotonic() + WAIT_S
        while not reached():
            assert time.monotonic() < deadline, f"{what}: not within {WAIT_S} s; line {self.events[-40:]}; media {self.media[-20:]}"
            await asyncio.sleep(0.02)

    def saw(self, event: LineEvent, numbers: range) -> bool:
        """True when each of these channels had that event."""
        return set(numbers) <= {number for number, seen in self.events if seen is event}

    def attach(self, numbers: range) -> None:
        """Give these channels to the media core."""
        for number in numbers:
            self.lines[number].attach(self.ports[number])

    def hook(self, numbers: range, hook: Hook) -> None:
        """The same hook order for these channels."""
        for number in numbers:
            self.lines[number].set_hook(hook)


@scenario()
def calls(report: Report) -> None:
    """24 calls at once through card and media core."""
    asyncio.run(_calls(report))


async def _calls(report: Report) -> None:
    trunks, sets = range(1, PAIRS + 1), range(PAIRS + 1, 2 * PAIRS + 1)
    async with Rig(PAIRS) as rig:
        await _connect(rig, trunks, sets)
        started_s, cpu_s = time.monotonic(), cards.cpu_seconds(os.getpid())
        clip = _noise_clip(Path("/tmp/clip.wav"))
        await _play_and_record(rig, trunks, sets)
        spent_s, took_s = cards.cpu_seconds(os.getpid()) - cpu_s, time.monotonic() - started_s
        report.figure("cpu_ms_per_call_second", round(spent_s * 1000 / took_s / PAIRS, 2))
        exact = sum(clip in _left(Path(f"/tmp/heard-{number}.wav")) for number in sets)
        report.figure("sample_exact", exact)
        await _digits(rig, trunks, sets)
        await _hang_up(rig, trunks, sets)
        stats = rig.engine.stats()
        report.figure("underruns", stats.underruns)
        report.figure("tick_late_ms_p999", round(stats.tick_late_ms_p999, 1))
        report.figure("unknown_events", rig.card.unknown_events)
    assert exact == PAIRS


async def _connect(rig: Rig, trunks: range, sets: range) -> None:
    rig.hook(sets, Hook.RING)
    await rig.until("ring", lambda: rig.saw(LineEvent.RINGBEGIN, trunks))
    rig.attach(trunks)
    rig.hook(trunks, Hook.OFF)
    await rig.until("answer", lambda: rig.saw(LineEvent.RINGOFFHOOK, sets))
    rig.hook(sets, Hook.OFF)
    rig.attach(sets)
    await asyncio.sleep(1.0)


async def _play_and_record(rig: Rig, trunks: range, sets: range) -> None:
    clip = rig.engine.clips.open(Path("/tmp/clip.wav"))
    for number in sets:
        rig.engine.record(rig.ports[number], number, Path(f"/tmp/heard-{number}.wav"), stereo=True)
    await asyncio.sleep(0.2)
    for number in trunks:
        rig.engine.detect_digits(rig.ports[number], True)
        rig.engine.play(rig.ports[number], number, [clip])
    await rig.until("play", lambda: sum(event.kind is EventKind.PLAY_DONE for event in rig.media) == PAIRS)
    await asyncio.sleep(0.5)
    for number in sets:
        rig.engine.record_stop(number)
    await rig.until("recordings", lambda: sum(event.kind is EventKind.RECORD_DONE for event in rig.media) == PAIRS)


async def _digits(rig: Rig, trunks: range, sets: range) -> None:
    for number in sets:
        rig.engine.send_digits(rig.ports[number], "159#")
    await rig.until("digits", lambda: all(_heard_digits(rig, number) == "159#" for number in trunks))


def _heard_digits(rig: Rig, number: int) -> str:
    return "".join(event.digit for event in rig.media if event.kind is EventKind.DIGIT and event.port == rig.ports[number])


async def _hang_up(rig: Rig, trunks: range, sets: range) -> None:
    rig.events.clear()
    rig.hook(sets, Hook.ON)
    await rig.until("hang-up", lambda: rig.saw(LineEvent.ONHOOK, trunks))
    for number in trunks:
        rig.lines[number].set_hook(Hook.ON)
        rig.lines[number].detach()
    await rig.until("on-hook of the sets", lambda: rig.saw(LineEvent.ONHOOK, sets))


@scenario()
def events_move_between_poller_and_core(report: Report) -> None:
    """Events reach us whether the channel is idle, with the media core, or given back a moment ago."""
    asyncio.run(_events_move(report))


async def _events_move(report: Report) -> None:
    async with Rig(1) as rig:
        trunk = rig.lines[1]
        for round_ in range(3):
            rig.events.clear()
            trunk.attach(rig.ports[1])
            await asyncio.sleep(0.1)
            trunk.detach()
            rig.lines[2].set_hook(Hook.RING)
            await rig.until(f"ring {round_}", lambda: rig.saw(LineEvent.RINGBEGIN, range(1, 2)))
            rig.lines[2].set_hook(Hook.ON)
            await asyncio.sleep(3.0)
        report.figure("rounds", 3)


@scenario()
def bridge(report: Report) -> None:
    """Native bridge through the card: joined, named by the kernel, parted."""
    asyncio.run(_bridge(report))


async def _bridge(report: Report) -> None:
    async with Rig(2) as rig:
        first, second = rig.lines[1], rig.lines[2]
        assert first.native_bridge(second)
        assert (first.native_peer(), second.native_peer()) == (2, 1)
        assert not first.native_bridge(first)
        first.native_unbridge()
        assert (first.native_peer(), second.native_peer()) == (None, None)
        report.figure("bridged", 1)


@scenario()
def span_comes_and_goes(report: Report) -> None:
    """A span without open channels is destroyed and made again; uevents tell it."""
    asyncio.run(_span_comes_and_goes(report))


async def _span_comes_and_goes(report: Report) -> None:
    async with Rig(1) as rig:
        rig.lines[2].close()
        second = rig.card.spans()[1]
        await asyncio.to_thread(cards.destroy_span, second)
        await rig.until("removal", lambda: any(status.number == 2 and status.alarms == ("removed",) for status in rig.spans))
        await asyncio.to_thread(configure, rig.setup, cards.SYSTEM_CONF)
        await rig.until("return", lambda: rig.spans[-1].number == 2 and not rig.spans[-1].alarms)
        report.remark(f"{rig.spans}")


@scenario()
def card_is_pulled(report: Report) -> None:
    """A span is taken from under open channels: the channel tells REMOVED, refuses orders, and closes."""
    asyncio.run(_card_is_pulled(report))


async def _card_is_pulled(report: Report) -> None:
    async with Rig(1) as rig:
        await asyncio.to_thread(cards.pull_span, 2)
        await asyncio.sleep(2.0)
        report.remark(f"events {rig.events}, spans {rig.spans}")
        assert (2, LineEvent.REMOVED) in rig.events
        assert _code(lambda: rig.lines[2].set_hook(Hook.ON)) == "LIN-106"


@scenario()
def no_card(report: Report) -> None:
    """Clear errors: modules not loaded, loaded without a span, a channel that does not exist or is open already."""
    cards.unload()
    engine = Engine(EngineConfig(max_ports=1, max_lines=1, max_recordings=1))
    codes = [_code(lambda: DahdiCard(engine).spans())]
    cards.load()
    codes.append(_code(lambda: DahdiCard(engine).channels()))
    cards.install(cards.analogue_pairs(1))
    card = DahdiCard(engine)
    codes.append(_code(lambda: card.open(77)))
    opened: DahdiChannel = card.open(1)
    codes.append(_code(lambda: DahdiCard(engine).open(1)))
    assert opened.spec.signalling is Signalling.FXSKS
    report.remark(" ".join(codes))
    assert codes == ["LIN-101", "LIN-103", "LIN-104", "LIN-105"]


def _code(step: Callable[[], object]) -> str:
    try:
        step()
    except LineError as error:
        return error.code
    return "none"


def _noise_clip(path: Path) -> bytes:
    """An A-law WAV of noise at a moderate level; returns its samples."""
    noise = random.Random(7)
    samples = bytes(noise.choice((0xD5, 0x55)) ^ noise.randrange(0x60) for _ in range(8000 * CLIP_S))
    fmt = b"fmt " + (18).to_bytes(4, "little") + bytes.fromhex("0600010040 1f0000401f0000010008000000".replace(" ", ""))
    data = b"data" + len(samples).to_bytes(4, "little") + samples
    body = b"WAVE" + fmt + data
    path.write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body)
    return samples


def _left(path: Path) -> bytes:
    """What the party says: the left side of a stereo A-law recording."""
    raw = path.read_bytes()
    return raw[raw.index(b"data") + 8 :][::2]
