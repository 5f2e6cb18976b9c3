"""Call set-up on primary rate: how long our part takes, and what twenty new calls a second cost.

Line server, virtual card and, at its far end, an exchange on libpri's network side run in this process, the call agent in its own. So the
share of a core told here is that of both of ours and the exchange's together.
"""

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from drivers.clock import RealClock
from drivers.config import LinesConfig
from drivers.media import Engine, EngineConfig
from drivers.server import LineServer
from drivers.settings import Paths
from drivers.virtual.card import VirtualCard
from drivers.virtual.config import SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.frames import VirtualLink
from tests.bench.system import _cpu_s
from tests.daemons import daemon
from tests.pri_exchange import Exchange, FarCall

SPANS = 2
CALLS_PER_S = 20
CALL_S = (1.5, 2.5)
SETUP, CONNECT = 0x05, 0x07
UP_LIMIT_S = 30.0
WARM_UP_S = 5.0
NUMBER = "96120"


class TimedCard(VirtualCard):
    """Notes when a SETUP was there, and when its CONNECT left."""

    def watch(self) -> None:
        self.setup_s: dict[bytes, float] = {}
        self.took_ms: list[float] = []

    def open_link(self, number: int, on_frame: Callable[[bytes], None]) -> VirtualLink:
        def arrived(frame: bytes) -> None:
            if _message(frame) == SETUP:
                self.setup_s[bytes([number]) + frame[6:8]] = time.perf_counter()
            on_frame(frame)

        link = super().open_link(number, arrived)
        send = link.send

        def leaves(frame: bytes) -> bool:
            if _message(frame) == CONNECT:
                reference = bytes([number, frame[6] & 0x7F, frame[7]])
                self.took_ms.append((time.perf_counter() - self.setup_s.pop(reference)) * 1000)
            return send(frame)

        link.send = leaves  # type: ignore[method-assign]  # timed as it leaves, all else is the card's own link
        return link


def _message(frame: bytes) -> int:
    """Its type, of a Q.931 message in an I-frame; else -1. Source: Q.931 clause 4."""
    return frame[8] if len(frame) > 8 and not frame[2] & 1 and frame[4:6] == b"\x08\x02" else -1


def measure(seconds: float) -> dict[str, float]:
    """Twenty calls a second for so long, each answered by the hotline and hung up after about two seconds."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as daemons:
        paths = Paths(run_dir=f"{name}/run", data_dir=f"{name}/data")
        config = Path(name) / "careline.toml"
        config.write_text(f'[paths]\nrun_dir = "{paths.run_dir}"\ndata_dir = "{paths.data_dir}"\n')
        return asyncio.run(_run(paths, config, seconds, daemons))


async def _run(paths: Paths, config: Path, seconds: float, daemons: ExitStack) -> dict[str, float]:
    world = VirtualConfig(spans=(SpanConfig(kind=SpanKind.PRI),) * SPANS)
    engine = Engine(EngineConfig(max_ports=256, max_lines=world.lines_needed(), max_recordings=256))
    card = TimedCard(world, engine)
    card.watch()
    clock = RealClock()
    os.makedirs(paths.run_dir, exist_ok=True)
    server = LineServer(LinesConfig(virtual=world), paths, card, engine, clock)
    engine.start()
    server.start()
    await server.listen()
    exchange = Exchange(card.far, clock)
    exchange.start()
    try:
        await exchange.until(lambda: len(exchange.free()) == len(exchange.lines), UP_LIMIT_S)
        agent = await asyncio.to_thread(daemons.enter_context, daemon("appliance.main", config, paths.control_socket))
        await _call(exchange, WARM_UP_S)
        return await _figures(exchange, card, agent, seconds)
    finally:
        await server.stop()
        exchange.close()
        card.close()
        engine.close()


async def _figures(exchange: Exchange, card: TimedCard, agent: int, seconds: float) -> dict[str, float]:
    card.took_ms.clear()
    made = len(exchange.calls)
    began_s, used_s = time.monotonic(), time.process_time() + _cpu_s(agent)
    await _call(exchange, seconds)
    lasted_s, used_s = time.monotonic() - began_s, time.process_time() + _cpu_s(agent) - used_s
    took_ms = sorted(card.took_ms)
    calls = exchange.calls[made:]
    return {
        "setup_ms_p50": round(took_ms[len(took_ms) // 2], 1),
        "setup_ms_p99": round(took_ms[len(took_ms) * 99 // 100], 1),
        "cps20_calls_per_s": round(len(calls) / lasted_s, 1),
        "cps20_not_answered": float(sum(call.answered_at is None for call in calls)),
        "cps20_core_pct": round(used_s / lasted_s * 100, 1),
    }


async def _call(exchange: Exchange, seconds: float) -> None:
    """Calls begin at even intervals; returns when the last has ended."""
    chance = random.Random(1)
    until_s = time.monotonic() + seconds
    calls: list[FarCall] = []
    next_s = time.monotonic()
    while next_s < until_s:
        await asyncio.sleep(max(0.0, next_s - time.monotonic()))
        next_s += 1 / CALLS_PER_S
        if free := exchange.free():
            call = exchange.call(chance.choice(free), NUMBER, f"138{chance.randrange(10**8):08}")
            calls.append(call)
            asyncio.get_running_loop().call_later(chance.uniform(*CALL_S), exchange.hang_up, call)
    await exchange.until(lambda: all(call.ended_at for call in calls), UP_LIMIT_S)
