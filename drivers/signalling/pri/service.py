"""Which channels either side has taken out of service, told by SERVICE messages where the switch has them. Pure.

Source: ANSI T1.607, maintenance annex.
"""

from collections.abc import Callable

from drivers.signalling import Action, FarBlocked
from drivers.signalling.pri.config import PriConfig

SWITCHES = ("ni2", "dms100", "5ess", "4ess")
IN_SERVICE, OUT_OF_SERVICE = 0, 2


class Service:
    """`send` sends SERVICE of a channel with its status; `emit` takes news of channels."""

    def __init__(self, config: PriConfig, send: Callable[[int, int], None], emit: Callable[[int, Action], None]) -> None:
        self.used = config.service_messages and config.switch in SWITCHES
        self.far_blocked: set[int] = set()
        self._blocked: set[int] = set()
        self._send, self._emit = send, emit

    def block(self, number: int, blocked: bool, link_up: bool) -> None:
        """Ours is blocked, or serves again; told now, or when the link is up."""
        (self._blocked.add if blocked else self._blocked.discard)(number)
        if self.used and link_up:
            self._send(number, OUT_OF_SERVICE if blocked else IN_SERVICE)

    def link_up(self) -> None:
        for number in self._blocked:
            self.block(number, blocked=True, link_up=True)

    def told(self, number: int, status: int) -> None:
        """The far side's is blocked, or serves again."""
        if (status == IN_SERVICE) is (number not in self.far_blocked):
            return
        (self.far_blocked.discard if status == IN_SERVICE else self.far_blocked.add)(number)
        self._emit(number, FarBlocked(status != IN_SERVICE))

    def restarted(self, number: int) -> None:
        """What was restarted, by either side, serves; what is blocked here is told again."""
        self.told(number, IN_SERVICE)
        if number in self._blocked:
            self.block(number, blocked=True, link_up=True)
