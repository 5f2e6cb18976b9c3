"""What only real threads and descriptors show: the clock, cards as the kernel has them, data races, a busy interpreter."""

import errno
import fcntl
import select
import socket
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.media import Engine, EngineConfig, EventKind
from drivers.media.build import build_program
from tests.media import audio
from tests.media.conftest import Bench

COUNT = bytes(range(256)) * 40
IDLE = bytes([audio.ALAW_SILENCE]) * 160


class FakeCard:
    """A card as a pair of sockets: blocks of 160 bytes each way, as the kernel's channels have them."""

    def __init__(self) -> None:
        self.kernel, self.ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.kernel.setblocking(False)
        self.ours.setblocking(False)

    def says(self, *blocks: bytes) -> None:
        for block in blocks:
            self.kernel.send(block)

    def heard(self) -> list[bytes]:
        blocks = []
        while select.select([self.kernel], [], [], 0)[0] and (block := self.kernel.recv(160)):
            blocks.append(block)
        return blocks


@pytest.fixture
def card() -> Iterator[FakeCard]:
    card = FakeCard()
    yield card
    card.kernel.close()
    card.ours.close()


def test_the_card_is_the_clock(bench: Bench, card: FakeCard) -> None:
    port = bench.engine.port_new()
    bench.engine.attach_fd(port, card.ours.fileno(), 2, 0, 0)
    bench.engine.play(port, 1, [bench.clip(COUNT)])
    bench.step(5)
    assert card.heard() == [IDLE, IDLE]  # primed, and no block without one read
    card.says(IDLE)
    bench.step(1)
    assert card.heard() == [COUNT[:160]]
    card.says(IDLE, IDLE, IDLE)
    bench.step(4)
    assert b"".join(card.heard()) == COUNT[160:640]


def test_a_recording_takes_the_cards_frames(bench: Bench, card: FakeCard) -> None:
    port = bench.engine.port_new()
    bench.engine.attach_fd(port, card.ours.fileno(), 0, 0, 0)
    bench.engine.record(port, 1, bench.folder / "card.wav", stereo=False)
    for start in range(0, 1600, 320):
        card.says(COUNT[start : start + 160], COUNT[start + 160 : start + 320])
        bench.step(4)
    bench.engine.record_stop(1)
    assert bench.step_until(EventKind.RECORD_DONE, 3).samples == 1600
    assert audio.read_recording(bench.folder / "card.wav")[1] == COUNT[:1600]


def test_a_silent_card_does_not_stop_the_time_of_a_recording(bench: Bench, card: FakeCard) -> None:
    port = bench.engine.port_new()
    bench.engine.attach_fd(port, card.ours.fileno(), 0, 0, 0)
    bench.engine.record(port, 1, bench.folder / "stalled.wav", stereo=False)
    bench.step(100)
    bench.engine.record_stop(1)
    assert bench.step_until(EventKind.RECORD_DONE, 3).samples == 100 * 160


def test_two_cards_are_bridged(bench: Bench) -> None:
    cards = [FakeCard(), FakeCard()]
    ports = [bench.engine.port_new() for _ in cards]
    for card, port in zip(cards, ports, strict=True):
        bench.engine.attach_fd(port, card.ours.fileno(), 0, 0, 0)
    bench.engine.bridge(*ports)
    for start in range(0, 3200, 160):  # one card's blocks come in pairs
        cards[0].says(COUNT[start : start + 160])
        if start % 320:
            cards[1].says(IDLE, IDLE)
        bench.step(1)
    bench.step(8)
    heard = b"".join(cards[1].heard())
    assert heard[heard.index(COUNT[:160]) :] in COUNT
    assert len(heard) == 3200
    for card in cards:
        card.kernel.close()
        card.ours.close()


def test_pending_events_are_fetched_in_the_tick(bench: Bench, card: FakeCard) -> None:
    """The trap of the kernel: reading fails until the event has been fetched. TIOCOUTQ (what waits to be sent) plays the ioctl."""
    port = bench.engine.port_new()
    bench.engine.attach_fd(port, card.ours.fileno(), 0, termios.TIOCOUTQ, errno.EAGAIN)
    bench.step(3)
    assert bench.of(EventKind.LINE_EVENT) == []  # event 0 is none
    card.says(COUNT[:160])
    bench.step(2)
    assert {event.value > 0 for event in bench.of(EventKind.LINE_EVENT, port)} == {True}
    assert len(card.heard()) == 1


def test_a_cut_prompt_is_thrown_out_of_the_queue(bench: Bench, card: FakeCard) -> None:
    """FIONREAD plays the ioctl that flushes: the queue is then filled to where it was, with silence."""
    port = bench.engine.port_new()
    bench.engine.attach_fd(port, card.ours.fileno(), 4, 0, 0, termios.FIONREAD)
    bench.engine.play(port, 1, [bench.clip(COUNT)])
    bench.step(1)
    card.says(IDLE)
    bench.step(1)
    assert card.heard() == [IDLE] * 4 + [COUNT[:160]]
    bench.engine.play_stop(port)
    bench.step(2)
    assert card.heard() == []
    card.says(IDLE)
    bench.step(1)
    assert card.heard() == [IDLE] * 4


def test_a_card_that_goes_away_is_told_once(bench: Bench, card: FakeCard) -> None:
    port = bench.engine.port_new()
    bench.engine.attach_fd(port, card.ours.fileno(), 1, 0, 0)
    bench.step(1)
    card.heard()
    card.kernel.close()
    bench.step(10)
    assert [event.value for event in bench.of(EventKind.IO_ERROR, port)] == [errno.EPIPE]


def test_a_detached_descriptor_is_left_alone(bench: Bench, card: FakeCard) -> None:
    port = bench.engine.port_new()
    bench.engine.attach_fd(port, card.ours.fileno(), 1, 0, 0)
    bench.engine.detach(port)
    bench.step(1)
    assert [event.value for event in bench.of(EventKind.IO_ERROR, port)] == [0]
    card.heard()
    card.says(IDLE)
    bench.step(3)
    assert card.heard() == []


def test_a_full_write_queue_drops_and_counts(bench: Bench, card: FakeCard) -> None:
    port = bench.engine.port_new()
    card.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
    bench.engine.attach_fd(port, card.ours.fileno(), 0, 0, 0)
    for _ in range(100):
        card.says(IDLE)
        bench.step(1)
    assert bench.of(EventKind.UNDERRUN, port)
    assert bench.engine.stats().underruns > 0


def test_a_blocking_descriptor_is_refused(bench: Bench, card: FakeCard) -> None:
    card.ours.setblocking(True)
    with pytest.raises(Exception, match="MED-014"):
        bench.engine.attach_fd(bench.engine.port_new(), card.ours.fileno(), 0, 0, 0)
    assert not fcntl.fcntl(card.ours, fcntl.F_GETFL) & 0x800


def hog(until: float) -> None:
    while time.monotonic() < until:
        sum(range(10000))


def test_real_time_runs_beside_a_busy_interpreter(tmp_path: Path) -> None:
    with Engine(EngineConfig(max_ports=8, max_recordings=8)) as engine:
        port = engine.port_new()
        engine.play(port, 1, [engine.clips.open(audio.wav(tmp_path / "p.wav", COUNT))], loops=0)
        engine.record(port, 1, tmp_path / "r.wav", stereo=True)
        thread = threading.Thread(target=hog, args=(time.monotonic() + 1.5,))
        thread.start()
        thread.join()
        engine.record_stop(1)
        waiting = select.poll()
        waiting.register(engine.eventfd)
        kinds = []
        while EventKind.RECORD_DONE not in kinds and waiting.poll(3000):
            kinds += [event.kind for event in engine.poll_events()]
        stats = engine.stats()
    assert EventKind.RECORD_DONE in kinds
    assert stats.ticks >= 70
    assert stats.underruns == 0
    assert stats.tick_cpu_ns > 0
    right = audio.read_recording(tmp_path / "r.wav")[1][1::2]
    assert right == (COUNT * (len(right) // len(COUNT) + 1))[: len(right)]


@pytest.mark.parametrize("sanitizer", ["address,undefined", "thread"])
def test_sanitizers_find_nothing(tmp_path: Path, sanitizer: str) -> None:
    program = build_program(Path(__file__).with_name("stress.c"), sanitizer)
    clip = audio.wav(tmp_path / "p.wav", audio.to_alaw(audio.sine(450, -10, 777)))
    run = subprocess.run([program, "5", clip, tmp_path], capture_output=True, timeout=50, check=False)
    assert run.returncode == 0, run.stderr.decode()[-4000:]
    assert int(run.stdout.split()[0]) > 100
