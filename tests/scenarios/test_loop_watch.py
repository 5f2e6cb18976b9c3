"""The watch over the event loop sees what blocks it."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from tests.scenarios.conftest import BLOCKED_LIMIT_S, LoopWatch


def compute() -> None:
    until = time.thread_time() + 0.2
    while time.thread_time() < until:
        pass


def wait_for_a_thread() -> None:
    thread = threading.Thread(target=time.sleep, args=(0.2,))
    thread.start()
    thread.join(5)


@pytest.mark.parametrize("hold", [lambda: time.sleep(0.2), compute, wait_for_a_thread])
def test_a_loop_that_is_held_is_seen(loop_watch: LoopWatch, hold: Callable[[], None]) -> None:
    async def main() -> None:
        await asyncio.sleep(0)
        hold()
        await asyncio.sleep(0)

    for _ in range(20):  # the machine may stand still just then
        asyncio.run(main())
        if loop_watch.worst_s > BLOCKED_LIMIT_S:
            break
    assert loop_watch.worst_s > BLOCKED_LIMIT_S
    loop_watch.worst_s = 0.0


def test_a_free_loop_is_not_blamed(loop_watch: LoopWatch) -> None:
    asyncio.run(asyncio.sleep(0.2))
    assert loop_watch.worst_s == 0.0
