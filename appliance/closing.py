"""The box is about to go down (its UPS is nearly empty): new callers are told so, those who talk hear a tone now and then. Runs in the call
agent's event loop. Emergency calls and all that sets of the house dial go on as ever.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from appliance.call import Call
from appliance.control.messages import SetClosing
from drivers.protocol import Command, LegPhase, PlayTone

log = logging.getLogger("careline.calls")

WARN_EVERY_S = 20.0
CLOSING = "closing"


async def say_closed(call: Call) -> None:
    """The script of a caller who comes too late."""
    await call.answer()
    await call.say(("technical_fault",), barge_in=False)


class Closing:
    """`on` while new callers are turned away. `calls`: all there are."""

    def __init__(self, calls: Mapping[str, Call], send: Callable[[Command], int]) -> None:
        self.on = False
        self._calls, self._send = calls, send
        self._warning: asyncio.Task[None] | None = None

    def service(self, service: str) -> str:
        """Which service a new call gets, instead of that one."""
        return CLOSING if self.on and service != "dialled" else service

    async def set_closing(self, request: SetClosing) -> None:
        """Begin, or take it back. Forgotten when the call agent restarts."""
        if request.closing is self.on:
            return
        log.warning("new callers are %s, by %s", "told that the box goes down" if request.closing else "answered again", request.by)
        self.on = request.closing
        if self._warning:
            self._warning.cancel()
        self._warning = asyncio.create_task(self._warn(), name="closing") if request.closing else None

    def stop(self) -> None:
        if self._warning:
            self._warning.cancel()

    async def _warn(self) -> None:
        while True:
            for call in tuple(self._calls.values()):
                for leg in call.legs.values():
                    if leg.bridged_with and leg.phase is LegPhase.ANSWERED:
                        self._send(PlayTone(leg=leg.name, tone="beep"))
            await asyncio.sleep(WARN_EVERY_S)
