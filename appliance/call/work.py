"""Verbs while the caller waits for the box: work that may take its time, a pause with music, a moment that stays the same after a crash."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from appliance.call.core import Finished
from appliance.call.transfer import SETTLE_LIMIT_S
from appliance.call.waiting import Waiting
from appliance.errors import CallError
from appliance.events import AnyHappened, CallPutBack
from drivers.protocol import Clip, LegPhase, Play, PlayState, Release, StopPlay

FILLER_AFTER_S = 1.0  # longer silence makes people wonder


class Working(Waiting):
    """The caller, and the box at work for him."""

    async def decide(self, verb: str, result: Callable[[], Any]) -> Any:
        """What `result` gives (None, bool, int, str or a list or table of them), once: the same when this place is run again."""

        async def act() -> Finished:
            return Finished(result())

        return await self.step(verb, act)

    async def work(self, what: str, job: Callable[[], Awaitable[Any]], filler: Sequence[str], limit_s: float) -> Any:
        """The result of `job`, or None when it raised or took longer than `limit_s`; the record says why then.

        The caller hears `filler` and music after it from the first second on. A job that is given up is cancelled.
        """
        return await self.step("work", lambda: self._work(what, job, tuple(filler), limit_s))

    async def _work(self, what: str, job: Callable[[], Awaitable[Any]], filler: tuple[str, ...], limit_s: float) -> Finished:
        task = asyncio.ensure_future(job())
        changes: dict[str, Any] = {}
        try:
            await asyncio.wait({task}, timeout=min(FILLER_AFTER_S, limit_s))
            if not task.done():
                changes = self._play_filler(filler)
                await asyncio.wait({task}, timeout=limit_s - FILLER_AFTER_S)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        await self._end_filler()
        result, faults = self._came_of(what, task, limit_s)
        return Finished(result, faults, changes)

    def _came_of(self, what: str, task: "asyncio.Future[Any]", limit_s: float) -> tuple[Any, list[AnyHappened]]:
        if task.cancelled():
            error = CallError("APP-142", f"{what} took longer than {limit_s:g} s", "The caller was told so; see the log of careline-calls")
            return None, [self.fault(error)]
        if failure := task.exception():
            error = CallError("APP-142", f"{what} failed: {self.told(failure)}", "The caller was told so; see the log of careline-calls")
            return None, [self.fault(error)]
        return task.result(), []

    def _play_filler(self, filler: tuple[str, ...]) -> dict[str, Any]:
        """The tag's change, so that the next prompt has a number of its own."""
        leg = self.main
        play_id = max(self.tag.play_id, leg.play.play_id if leg.play else 0) + 1
        if leg.play and leg.play.end is None:  # a call agent before this one began it
            return {"play_id": leg.play.play_id}
        if leg.phase is not LegPhase.ANSWERED:
            return {}
        clips, _, _ = self.clips(filler)
        music = Clip(path=str(self._around.music()))
        self.send(Play(leg=leg.name, play_id=play_id, clips=(*clips, music), loops=0))
        leg.play = PlayState(play_id)
        return {"play_id": play_id}

    async def _end_filler(self) -> None:
        leg = self.main
        if leg.play and leg.play.end is None and not leg.is_released:
            self.send(StopPlay(leg=leg.name))
            await leg.wait(lambda leg: leg.play is None or leg.play.end is not None or leg.is_released, SETTLE_LIMIT_S)

    def put_back(self, place: str, by: str) -> None:
        """Part the caller from whoever talks with him; the flow goes on at that place.

        Raises: CallError APP-110 unless exactly these two talk.
        """
        party = self.legs.get(self.tag.party_leg)
        if party is None or self.main.bridged_with != party.name or self.tag.held or self.tag.consult_leg:
            raise CallError("APP-110", f"the caller of {self.id} does not talk with one person", "Ask while the two are joined")
        self.commit(CallPutBack(place=place, by=by, **self.here()), put_back=place)
        self.send(Release(leg=party.name))

    async def pause(self, pause_s: float, said: Sequence[str]) -> None:
        """Wait so long, hearing that and then music; keys mean nothing meanwhile."""

        async def act() -> Finished:
            changes = self._play_filler(tuple(said))
            with contextlib.suppress(TimeoutError):
                await self.main.wait(lambda leg: leg.is_released, pause_s)
            await self._end_filler()
            pressed = list(self.main.digits)
            return Finished(None, self.pressed(pressed), {**changes, **self.consumed(pressed)})

        await self.step("pause", act)
