"""The hook scripts of tests/contract/hook_suite.py on the kernel's drivers, all at once, each on a pair of ports of its own.

What the virtual card is held to is what is seen here. An emulated machine is late now and then: a script that went wrong is played again.
"""

import asyncio
import time
from collections.abc import Sequence

from drivers.dahdi.device import Channel
from drivers.dahdi.poller import EventPoller
from drivers.errors import LineError
from drivers.io import Hook, LineEvent
from tests.contract.hook_suite import SCRIPTS, Act, Happening, Script, Side, Told
from tests.lab import cards
from tests.lab.scenario import Report, scenario

QUIET_S = 2.5
OFF_MS = 200
"""At most this much later than the script says, or sooner: loopback spans make up for time in which the guest stood still."""
TRIES = 3


class Pair:
    """A FXO port and the FXS port at its other end."""

    def __init__(self, poller: EventPoller, script: Script, line: int, station: int) -> None:
        self.script = script
        self.told: list[Told] = []
        self.began_s = 0.0
        self._poller = poller
        self._numbers = {Side.LINE: line, Side.SET: station}
        self._side_of = {number: side for side, number in self._numbers.items()}
        self._devices: dict[Side, Channel] = {}
        for side in Side:
            self._open(side)

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(self._side_of)

    def begin(self) -> None:
        """Forget what was told so far and do the script's acts when their time comes."""
        loop = asyncio.get_running_loop()
        self.told.clear()
        self.began_s = time.monotonic()
        for act in self.script.acts:
            loop.call_later(act[0] / 1000, self._do, act)

    def hear(self, number: int, event: LineEvent | Happening) -> None:
        self.told.append((round((time.monotonic() - self.began_s) * 1000), self._side_of[number], event))

    def close(self) -> None:
        for side in tuple(self._devices):
            self._close(side)

    def fault(self) -> str:
        """What differs from the script; "" when nothing does."""
        for side in Side:
            found, wanted = ([each for each in told if each[1] is side] for told in (self.told, self.script.told))
            same = [what for _, _, what in found] == [what for _, _, what in wanted]
            if not same or any(abs(mine[0] - theirs[0]) > OFF_MS for mine, theirs in zip(found, wanted, strict=True)):
                return f"{self.script.name}: {side} told {_text(found)}, not {_text(wanted)}"
        return ""

    def off_ms(self) -> int:
        """How far from its time the event was that was furthest."""
        sides = ([[each[0] for each in told if each[1] is side] for told in (self.told, self.script.told)] for side in Side)
        return max((abs(mine - theirs) for found, wanted in sides for mine, theirs in zip(found, wanted, strict=False)), default=0)

    def _do(self, act: Act) -> None:
        _, side, what = act
        if what is Happening.OPEN:
            self._open(side)
        elif what is Happening.CLOSE:
            self._close(side)
        elif isinstance(what, Hook):
            self._order(side, what)

    def _order(self, side: Side, hook: Hook) -> None:
        try:
            self._devices[side].set_hook(hook)
        except LineError as error:
            if error.code != "LIN-108":
                raise
            self.hear(self._numbers[side], Happening.REFUSED)

    def _open(self, side: Side) -> None:
        self._devices[side] = Channel(self._numbers[side])
        self._poller.add(self._devices[side])

    def _close(self, side: Side) -> None:
        device = self._devices.pop(side)
        self._poller.remove(device)
        device.close()


def _text(told: Sequence[Told]) -> str:
    return ", ".join(f"{what.name} {at_ms}" for at_ms, _, what in told) or "nothing"


@scenario(limit_s=240)
def scripts(report: Report) -> None:
    """Orders at certain milliseconds, and every event of both ports."""
    cards.install(cards.analogue_pairs(len(SCRIPTS)))
    faults: list[str] = []
    wanted = list(enumerate(SCRIPTS, start=1))
    for attempt in range(TRIES):
        pairs = asyncio.run(_played(wanted))
        faults = [fault for pair in pairs if (fault := pair.fault())]
        report.figure(f"wrong_in_try_{attempt + 1}", len(faults))
        report.figure(f"off_ms_in_try_{attempt + 1}", max(pair.off_ms() for pair in pairs))
        for fault in faults:
            report.remark(fault)
        wanted = [each for each, pair in zip(wanted, pairs, strict=True) if pair.fault()]
        if not wanted:
            break
    report.figure("scripts_right", len(SCRIPTS) - len(faults))
    assert not faults, "\n".join(faults)


async def _played(wanted: Sequence[tuple[int, Script]]) -> list[Pair]:
    poller = EventPoller()
    pairs = [Pair(poller, script, number, len(SCRIPTS) + number) for number, script in wanted]
    pair_of = {number: pair for pair in pairs for number in pair.numbers}
    loop = asyncio.get_running_loop()

    def take() -> None:
        for found in poller.read():
            if isinstance(found.event, LineEvent):
                pair_of[found.channel].hear(found.channel, found.event)

    loop.add_reader(poller.fileno(), take)
    await asyncio.sleep(QUIET_S)
    for pair in pairs:
        pair.begin()
    await asyncio.sleep(max(script.until_ms for _, script in wanted) / 1000)
    for pair in pairs:
        pair.told = [told for told in pair.told if told[0] <= pair.script.until_ms]
        pair.close()
    loop.remove_reader(poller.fileno())
    poller.close()
    return pairs
