"""The exchange's end of the box's lines, in the booted image. `python -m tests.image.inside.far_end NAME [ARGUMENT…]`; writes JSON lines.

One event loop; media core and card are the product's own. Ends with status 1 and a traceback when a call was not as it should be.
"""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from drivers.settings import Paths
from tests.lab import product
from tests.lab.exchange import Exchange
from tests.lab.records import finished_records
from tests.lab.scenarios.killing_agent import Callers
from tests.lab.scenarios.killing_agent import _check as check_call
from tests.lab.scenarios.killing_lines import Pair
from tests.lab.sound import lacking, noise_file, prompt

FOLDER = Path("/run/careline-lab")
FIRST_LIMIT_S = 240.0
GREETING_LIMIT_S = 60.0
HOUR_S = 3600.0
BREATH_S = 1.0  # a clip counts as heard a little before its end, and its file is behind too


def tell(**said: object) -> None:
    print(json.dumps(said), flush=True)


async def first_call() -> None:
    """Ring from the moment there is a line until the box answers; its greeting must be there sample for sample."""
    async with Exchange(product.EXCHANGE_LINES[:1], (), FOLDER) as exchange:
        line = exchange.lines[0]
        ear = await line.ring(FIRST_LIMIT_S)
        tell(answered=True, at_s=line.answered_at_s, rang_s=line.answered_at_s - line.rung_at_s)
        await line.hears(prompt("greeting"), GREETING_LIMIT_S)
        await asyncio.sleep(BREATH_S)
        wrong = ear.lacking(prompt("greeting"))
        await line.hang_up()
        tell(heard=not wrong, wrong=wrong)
        assert not wrong, wrong


async def callers(count: int) -> None:
    """Calls of every kind on `count` lines until SIGUSR1; then each must be in the records, whole, with its recording."""
    began_s, stopping = time.time(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, stopping.set)
    async with Exchange(product.EXCHANGE_LINES[:count], product.PHONES[:1], FOLDER) as exchange:
        made = Callers(exchange)
        living = asyncio.create_task(exchange.together(made.live))
        tell(ready=True)
        await asyncio.wait((living, asyncio.create_task(stopping.wait())), return_when=asyncio.FIRST_COMPLETED)
        made.stopping = True
        await living
        records = await finished_records(began_s, len(made.made))
    for number in {each.line for each in made.made}:
        own = [each for each in made.made if each.line == number]
        for each, record in zip(own, [record for record in records if record.line == number], strict=True):
            check_call(each, record)
    tell(calls=len(made.made), keys=len(made.keys))


async def pairs(count: int, seconds: int) -> None:
    """`count` callers joined with sets, talking at once for so long: whoever listens misses no more than 100 ms of it in one piece."""
    began_s = time.time()
    async with Exchange(product.EXCHANGE_LINES[:count], product.PHONES[:count], FOLDER) as exchange:
        talking = [Pair(line, phone) for line, phone in zip(exchange.lines, exchange.phones, strict=True)]
        for pair in talking:
            await pair.connect()
        await asyncio.sleep(6)
        ends = [end for pair in talking for end in (pair.line, pair.phone)]
        said = {end.number: noise_file(FOLDER / f"say-{end.number}.wav", end.number, seconds * 1000) for end in ends}
        tell(ready=True)
        await asyncio.gather(*(end.speak(FOLDER / f"say-{end.number}.wav", seconds + HOUR_S) for end in ends))
        await asyncio.sleep(1)
        for pair in talking:
            for listener, speaker in ((pair.line, pair.phone), (pair.phone, pair.line)):
                assert listener.ear is not None
                tell(listener=listener.number, wrong=lacking(said[speaker.number], listener.ear.heard()))
        await asyncio.gather(*(pair.end() for pair in talking))
        records = await finished_records(began_s, count)
    tell(calls=len(records), outcomes=sorted(record.outcome for record in records))


async def speak_on() -> None:
    """One caller who leaves a message that never ends: tells when each second of it was said, until the power goes."""
    async with Exchange(product.EXCHANGE_LINES[:1], (), FOLDER) as exchange:
        line = exchange.lines[0]
        await line.ring(FIRST_LIMIT_S)
        await line.hears(prompt("greeting"), GREETING_LIMIT_S)
        tell(answered=True, at_s=line.answered_at_s)
        noise_file(FOLDER / "say.wav", 1, 60_000)
        while True:
            tell(speaking=True, at_s=time.time(), since_answer_s=time.time() - line.answered_at_s)
            await asyncio.sleep(1)


async def _run(command: Callable[..., Awaitable[None]], *arguments: int) -> None:
    await command(*arguments)


def main() -> int:
    product.PATHS = Paths()  # the box's own folders, where the lab's scenarios look into theirs
    FOLDER.mkdir(parents=True, exist_ok=True)
    name, *rest = sys.argv[1:]
    commands: dict[str, Callable[..., Awaitable[None]]] = {
        "first_call": first_call,
        "callers": callers,
        "pairs": pairs,
        "speak_on": speak_on,
    }
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    asyncio.run(_run(commands[name], *map(int, rest)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
