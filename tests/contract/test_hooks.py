"""The scripts of hook_suite.py, played to two hooks of the virtual card that are wired to each other."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from drivers.clock import VirtualClock, run_virtual
from drivers.errors import LineError
from drivers.io import Hook, LineEvent, Signalling
from drivers.virtual.hookstate import HookState, RxSig, TxSig
from drivers.virtual.ringing import cadence_ms
from tests.contract.hook_suite import SCRIPTS, Act, Happening, Script, Side, Told

LINE_SEES = {TxSig.ONHOOK: RxSig.OFFHOOK, TxSig.OFFHOOK: RxSig.OFFHOOK, TxSig.START: RxSig.RING, TxSig.KEWL: RxSig.ONHOOK}
SET_SEES = {TxSig.ONHOOK: RxSig.ONHOOK, TxSig.OFFHOOK: RxSig.OFFHOOK, TxSig.START: RxSig.OFFHOOK}
SAME_MS = 1


class Line:
    """Both ports of one line; a closed one tells nothing."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self._closed: set[Side] = set()
        self._hooks = {
            Side.LINE: self._hook(Side.LINE, Signalling.FXSKS, lambda sig: self._hooks[Side.SET].receive(SET_SEES[sig])),
            Side.SET: self._hook(Side.SET, Signalling.FXOKS, lambda sig: self._hooks[Side.LINE].receive(LINE_SEES[sig])),
        }

    def _hook(self, side: Side, signalling: Signalling, send: Callable[[TxSig], None]) -> HookState:
        return HookState(1, signalling, cadence_ms("cn"), send, partial(self._tell, side))

    def _tell(self, side: Side, event: LineEvent | Happening) -> None:
        if side not in self._closed:
            self.told.append((round(asyncio.get_running_loop().time() * 1000), side, event))

    def do(self, act: Act) -> None:
        _, side, what = act
        if what is Happening.CLOSE:
            self._hooks[side].closed()
            self._closed.add(side)
        elif what is Happening.OPEN:
            self._closed.discard(side)
            self._hooks[side].opened()
        else:
            self._order(side, what)

    def _order(self, side: Side, hook: Hook | Happening) -> None:
        assert isinstance(hook, Hook)
        try:
            self._hooks[side].order(hook)
        except LineError:
            self._tell(side, Happening.REFUSED)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda each: each.name)
def test_hooks(script: Script) -> None:
    async def main(clock: VirtualClock) -> list[Told]:
        line = Line()
        for act in script.acts:
            asyncio.get_running_loop().call_at(act[0] / 1000, line.do, act)
        await asyncio.sleep(script.until_ms / 1000)
        return line.told

    told = run_virtual(main)
    for side in Side:
        found, wanted = ([each for each in events if each[1] is side] for events in (told, script.told))
        assert [what for _, _, what in found] == [what for _, _, what in wanted]
        assert all(abs(mine[0] - theirs[0]) <= SAME_MS for mine, theirs in zip(found, wanted, strict=True)), (found, wanted)
