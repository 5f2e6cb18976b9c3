"""Line server and call agent as in daily use, on the virtual card: eight E1 of callers who ring, listen, press keys and ring again."""

import asyncio
import random
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from appliance.control.client import ControlClient, ControlError
from appliance.control.handset import AsyncHandset, dial_message
from drivers.errors import LineError
from drivers.protocol import HandsetState
from drivers.settings import Paths
from tests.daemons import daemon

NUMBER = "96120"
E1_CHANNELS = 30
RINGS_PER_S = 12
KEYS_EVERY_S = (4.0, 9.0)
TICKS_PER_S = 100  # /proc/PID/stat counts in these


def measure(channels: int, seconds: float) -> dict[str, float]:
    """Hold `channels` calls for `seconds`; memory, CPU and what was late or missing."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as daemons:
        paths = Paths(run_dir=f"{name}/run", data_dir=f"{name}/data")
        config = Path(name) / "careline.toml"
        config.write_text(_config(paths, -(-channels // E1_CHANNELS)))
        lines = daemons.enter_context(daemon("drivers.server", config, paths.lines_socket))
        calls = daemons.enter_context(daemon("appliance.main", config, paths.control_socket))
        return asyncio.run(_hold(paths, channels, seconds, lines, calls))


def _config(paths: Paths, spans: int) -> str:
    slots = [slot + 31 * span for span in range(spans) for slot in range(1, 32) if slot != 16]
    return "\n".join(
        [
            f'[paths]\nrun_dir = "{paths.run_dir}"\ndata_dir = "{paths.data_dir}"\n[lines]\ncard = "virtual"',
            f'[[lines.groups]]\nname = "trunk"\nchannels = "{",".join(map(str, slots))}"',
            *['[[lines.virtual.spans]]\nkind = "e1"'] * spans,
            f'[[lines.virtual.numbers]]\nnumber = "{NUMBER}"\nspans = {list(range(1, spans + 1))}\n',
        ]
    )


class Callers:
    """People who ring, wait a little, press a key, and ring again when the call has ended."""

    def __init__(self, paths: Paths, count: int) -> None:
        self._paths = paths
        self._count = count
        self._random = random.Random(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self.talking: set[int] = set()

    async def begin(self) -> None:
        for number in range(self._count):
            self._tasks.add(asyncio.create_task(self._live(number)))
            await asyncio.sleep(1 / RINGS_PER_S)

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _live(self, number: int) -> None:
        while True:
            with suppress(LineError, ConnectionError):
                await self._one_call(number)
            await asyncio.sleep(0.5)

    async def _one_call(self, number: int) -> None:
        handset = await AsyncHandset.connect(self._paths.handset_socket, dial_message(NUMBER))
        pressing = asyncio.create_task(self._press(handset))
        try:
            while (message := await handset.next(120)) is not None:
                if isinstance(message, HandsetState) and message.state == "talking":
                    self.talking.add(number)
        finally:
            self.talking.discard(number)
            pressing.cancel()
            await asyncio.gather(pressing, return_exceptions=True)
            await handset.close()

    async def _press(self, handset: AsyncHandset) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(*KEYS_EVERY_S))
            await handset.press(self._random.choice("12*"))


async def _hold(paths: Paths, channels: int, seconds: float, lines: int, calls: int) -> dict[str, float]:
    callers = Callers(paths, channels)
    await callers.begin()
    await asyncio.sleep(5)
    used = _cpu_s(lines), _cpu_s(calls)
    held = [await _after(1.0, callers) for _ in range(round(seconds))]
    health = await asyncio.to_thread(_health, paths)
    figures = {
        "calls_held": float(sorted(held)[len(held) // 2]),
        "lines_core_pct": round((_cpu_s(lines) - used[0]) / seconds * 100, 2),
        "calls_core_pct": round((_cpu_s(calls) - used[1]) / seconds * 100, 2),
        "rss_lines_mb": _rss_mb(lines),
        "rss_calls_mb": _rss_mb(calls),
        **health,
    }
    await callers.end()
    return figures


async def _after(seconds: float, callers: Callers) -> int:
    await asyncio.sleep(seconds)
    return len(callers.talking)


def _health(paths: Paths) -> dict[str, float]:
    try:
        with ControlClient(paths.control_socket, "bench") as client:
            health = client.ask_health().health
    except ControlError as error:
        raise RuntimeError(f"the call agent is gone: {error}") from error
    return {"system_underruns": float(health.underruns), "system_tick_late_ms_p999": health.tick_late_ms_p999}


def _rss_mb(pid: int) -> float:
    """Source: proc(5), VmRSS in kB."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    kilobytes = next(line for line in status if line.startswith("VmRSS:")).split()[1]
    return round(int(kilobytes) / 1024, 1)


def _cpu_s(pid: int) -> float:
    """User and system time of all threads. Source: proc(5), stat fields 14 and 15."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S
