"""The callers of a storm: each rings, keys card, password and choices as sound on the line, and pays for one of the last places, or thinks
better of it, or is told that there is none. Runs in the test's event loop.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from random import Random

from appliance.control.handset import AsyncHandset, dial_message
from drivers.errors import LineError
from drivers.protocol import HandsetState
from tests.storm.board import Board, Stand
from tests.storm.box import DEPARTMENT, NUMBER, PASSWORD, Box, card_number

KEY_MS = 60
TALK_LIMIT_S = 40.0
CALL_LIMIT_S = 300.0
AGAIN_S = 12.0
THINK_S = (0.2, 1.2)
REDIAL_S = 1.0
DIALS_MOST = 30


class Callers:
    """Numbered from 1; of the first half every `hesitates_every`-th (0: nobody) hangs up when the price is said.

    `results`: how calls ended for the caller: paid, none left, hesitated; not put through (no answer in TALK_LIMIT_S), cut off (the box
    hung up), gave up (after CALL_LIMIT_S). `busy`: how often somebody heard the busy tone and dialled again.
    """

    def __init__(self, box: Box, board: Board, hesitates_every: int) -> None:
        self._hesitates_every = hesitates_every
        self._box = box
        self._board = board
        self._random = Random(1)
        self._hesitant: range = range(0)
        self.results: Counter[str] = Counter()
        self.busy = 0
        self.paid: set[int] = set()
        self.lasted_s: list[float] = []
        self.now = 0
        self.most = 0

    async def ring(self, count: int, every_s: float, limit_s: float) -> int:
        """One every `every_s` as soon as a line is free, until all have or `limit_s` is over; how many rang."""
        until_s = time.monotonic() + limit_s
        lines = asyncio.Semaphore(self._box.site.lines)
        if every := self._hesitates_every:
            self._hesitant = range(every, count // 2, every)
        async with asyncio.TaskGroup() as calls:
            for number in range(1, count + 1):
                await lines.acquire()
                if time.monotonic() > until_s:
                    return number - 1
                calls.create_task(self._one(number, lines))
                await asyncio.sleep(every_s)
        return count

    async def _one(self, number: int, lines: asyncio.Semaphore) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            result = await self._call(number)
        finally:
            self.now -= 1
            lines.release()
        self.results[result] += 1
        if result == "paid":
            self.paid.add(number)

    async def _call(self, number: int) -> str:
        ani = f"139{number:08}"
        stand = self._board.stands[ani] = Stand()
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                return await self._dialled(number, ani, stand)
        except LineError:
            return "not put through"
        except TimeoutError:
            return "gave up"
        finally:
            self.lasted_s.append(time.monotonic() - began_s)
            del self._board.stands[ani]

    async def _dialled(self, number: int, ani: str, stand: Stand) -> str:
        """Dial again where the exchange had no line: one that somebody has left just now is not free at once."""
        for _ in range(DIALS_MOST):
            handset = await AsyncHandset.connect(self._box.site.paths.handset_socket, dial_message(NUMBER, caller=ani))
            async with _hanging_up(handset):
                heard = await handset.wait_for("talking", "busy", limit_s=TALK_LIMIT_S)
                if heard.state == "talking":
                    return await _Caller(handset, stand, number, self._random, number in self._hesitant).talk()
            self.busy += 1
            await asyncio.sleep(REDIAL_S)
        return "not put through"


@contextlib.asynccontextmanager
async def _hanging_up(handset: AsyncHandset) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await handset.close()


class _Caller:
    def __init__(self, handset: AsyncHandset, stand: Stand, number: int, random: Random, hesitant: bool) -> None:
        self._hesitant = hesitant
        self._handset = handset
        self._stand = stand
        self._number = number
        self._random = random
        self._been: Counter[str] = Counter()

    async def talk(self) -> str:
        """Answer whatever is asked until the end; again when nothing comes of it."""
        cut = asyncio.ensure_future(self._cut_off())
        try:
            while not cut.done():
                place = self._stand.place
                self._been[place] += 1
                if end := self._end(place):
                    return end
                await self._answer(place)
                moved = asyncio.ensure_future(self._moved())
                await asyncio.wait({moved, cut}, timeout=AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
                moved.cancel()
            return f"cut off at {self._stand.place}: {cut.result()}"
        finally:
            cut.cancel()

    async def _moved(self) -> None:
        await self._stand.moved.wait()
        self._stand.moved.clear()

    async def _cut_off(self) -> str:
        """Wait until the exchange says that the box is gone; what it says."""
        while (message := await self._handset.next(CALL_LIMIT_S)) is not None:
            if isinstance(message, HandsetState) and message.state == "ended":
                return message.detail
        return "the telephone is gone"

    def _end(self, place: str) -> str:
        if place in ("registration/paid_done", "registration/after_paid"):
            return "paid"
        if place == "registration/paid_confirm" and self._hesitant:
            return "hesitated"
        return "none left" if place == "choose_place/refused" else ""

    async def _answer(self, place: str) -> None:
        keys = self._keys(place)
        if not keys:
            return
        visits = self._stand.visits
        await asyncio.sleep(self._random.uniform(*THINK_S))
        if self._stand.visits == visits:
            await self._handset.press(keys, KEY_MS, KEY_MS)

    def _keys(self, place: str) -> str:
        choice = 1 + self._number % 3 if self._been["choose_place/which"] == 1 else 1
        answers = {
            "main_menu": "1",
            "registration/menu": "2",
            "card/ask": f"{card_number(self._number)}#",
            "card/password": f"{PASSWORD}#",
            "choose_place/how": "2",
            "find_department/ask": f"{DEPARTMENT}#",
            "choose_place/which": str(choice),
            "registration/paid_confirm": "1",
        }
        return answers.get(place, "")
