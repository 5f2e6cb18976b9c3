"""How soon a caller whose call was answered hears the first sound of the greeting: line server and virtual card in this process, in real
time, the call agent in its own. Told at the caller's ear, looked at every 2 ms.
"""

import asyncio
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from drivers.clock import RealClock
from drivers.config import LinesConfig
from drivers.media import Engine, EngineConfig
from drivers.server import LineServer
from drivers.settings import Paths
from drivers.virtual.card import VirtualCard
from drivers.virtual.config import Hunting, NumberConfig, SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone
from tests.daemons import daemon

NUMBER = "96120"
LINES = 24
CALLERS = 8
CALLS = 200
LOOK_S = 0.002
LIMIT_S = 30.0
DEAF_S = 2.1  # lines just opened hear no ring for 2 s
SILENCES = bytes((0xD5, 0x55))


def measure(calls: int = CALLS) -> dict[str, float]:
    """Median and p99 over so many calls."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as daemons:
        paths = Paths(run_dir=f"{name}/run", data_dir=f"{name}/data")
        config = Path(name) / "careline.toml"
        config.write_text(f'[paths]\nrun_dir = "{paths.run_dir}"\ndata_dir = "{paths.data_dir}"\n')
        took_ms = sorted(asyncio.run(_run(paths, config, calls, daemons)))
    return {
        "answer_to_audio_ms_p50": round(took_ms[len(took_ms) // 2], 1),
        "answer_to_audio_ms_p99": round(took_ms[len(took_ms) * 99 // 100], 1),
    }


async def _run(paths: Paths, config: Path, calls: int, daemons: ExitStack) -> list[float]:
    world = VirtualConfig(
        spans=(SpanConfig(kind=SpanKind.FXO, channels=LINES),),
        numbers=(NumberConfig(number=NUMBER, spans=(1,)),),
        hunting=Hunting.LONGEST_FREE,
    )
    engine = Engine(EngineConfig(max_ports=LINES + world.ports_needed(), max_lines=world.lines_needed(), max_recordings=256))
    card = VirtualCard(world, engine)
    os.makedirs(paths.run_dir, exist_ok=True)
    server = LineServer(LinesConfig(virtual=world), paths, card, engine, RealClock())
    engine.start()
    server.start()
    await server.listen()
    try:
        await asyncio.to_thread(daemons.enter_context, daemon("appliance.main", config, paths.control_socket))
        await asyncio.sleep(DEAF_S)
        shares = await asyncio.gather(*(_live(card, number, calls // CALLERS) for number in range(CALLERS)))
        return [took_ms for share in shares for took_ms in share]
    finally:
        await server.stop()
        card.close()
        engine.close()


async def _live(card: VirtualCard, number: int, calls: int) -> list[float]:
    await asyncio.sleep(number * 0.37)
    return [await _one_call(card) for _ in range(calls)]


async def _one_call(card: VirtualCard) -> float:
    telephone = card.world.visitor()
    talking = asyncio.get_running_loop().create_future()

    def changed(handset: object) -> None:
        if telephone.phase is Phase.TALKING and not talking.done():
            talking.set_result(time.perf_counter())

    telephone.on_state.append(changed)
    telephone.dial(NUMBER)
    began_s: float = await asyncio.wait_for(talking, LIMIT_S)
    telephone.stream(True)
    took_s = await _first_sound(telephone) - began_s
    card.world.dismiss(telephone)
    await asyncio.sleep(0.3)
    return took_s * 1000


async def _first_sound(telephone: OutsideTelephone) -> float:
    for _ in range(round(LIMIT_S / LOOK_S)):
        if telephone.stream_read(1600).strip(SILENCES):
            return time.perf_counter()
        await asyncio.sleep(LOOK_S)
    raise TimeoutError
