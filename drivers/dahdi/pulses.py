"""Pulse dialling by the kernel on one channel. Audio is away from the channel meanwhile: each block written would stop the pulses.

Used from the line server's event loop only.
"""

import asyncio
import logging
from collections.abc import Callable

from drivers.dahdi import faults
from drivers.dahdi.device import Channel
from drivers.errors import LineError

log = logging.getLogger("careline.lines")

HANDOVER_S = 0.2
"""Until the tick thread has surely let go of a descriptor it was told to leave (it obeys within a tick of 20 ms)."""

PULSES = "0123456789"
MAX_DIGITS = 250  # Source: dahdi/user.h, DAHDI_MAX_DTMF_BUF, less the letter P
LONGEST_DIGIT_S = 10 * 0.1 + 0.75  # Source: dahdi/kernel.h, DAHDI_DEFAULT_PULSEMAKETIME, _PULSEBREAKTIME, _PULSEAFTERTIME
SLACK_S = 2.0


class PulseDialling:
    """`resume` gives the channel back to the media port it was taken from."""

    def __init__(self, device: Channel, resume: Callable[[int], None]) -> None:
        self._device = device
        self._resume = resume
        self._port: int | None = None
        self._wait: asyncio.TimerHandle | None = None

    def check(self, digits: str) -> None:
        """Raises: LineError LIN-118 when this cannot be dialled."""
        if not digits or len(digits) > MAX_DIGITS or not set(digits) <= set(PULSES):
            raise faults.not_sendable(self._device.where, f"{digits!r} by pulses", f"1 to {MAX_DIGITS} of 0-9")

    def start(self, digits: str, port: int | None) -> None:
        """Dial; `port` had the channel's audio until now. Raises: LineError LIN-106."""
        self._port = self._port if port is None else port
        if self._port is None:
            self._dial(digits)
        else:
            self._after(HANDOVER_S, self._dial_quietly, digits)

    def over(self, resume: bool = True) -> None:
        """All is dialled, or something else stopped it; harmless when nothing was."""
        if self._wait is not None:
            self._wait.cancel()
            self._wait = None
        port, self._port = self._port, None
        if resume and port is not None:
            self._resume(port)

    def _dial_quietly(self, digits: str) -> None:
        try:
            self._dial(digits)
        except LineError as error:
            log.error("%s. The number is not dialled", error)
            self.over()

    def _dial(self, digits: str) -> None:
        self._device.dial("P" + digits)
        self._after(LONGEST_DIGIT_S * len(digits) + SLACK_S, self.over)

    def _after(self, delay_s: float, call: Callable[..., None], *arguments: str) -> None:
        if self._wait is not None:
            self._wait.cancel()
        self._wait = asyncio.get_running_loop().call_later(delay_s, call, *arguments)
