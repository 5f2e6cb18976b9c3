"""A telephone set's signaller, ready to be fed events: what its tests share."""

from typing import Any

from drivers.dial_plan import DialPlan, GroupFacts, ServiceRule, number_plan
from drivers.io import LineEvent
from drivers.protocol import Caller, NumberSource, Presentation
from drivers.signalling import Action, CallOffered, CallWanted, DigitHeard, Input, LineHappened
from drivers.signalling.fxs import FxoSignalled
from drivers.signalling.fxs_config import SetPort, SetsConfig
from tests.unit.analog_rig import RINGOFFHOOK, run

PLAN = number_plan(
    DialPlan(services=(ServiceRule(code="*60", service="after_hours"),)),
    {"trunk": GroupFacts((1, 2), False), "sets": GroupFacts((7, 8), True)},
)
OWN = Caller("8001", Presentation.ALLOWED, NumberSource.SET)
FLASH = LineHappened(LineEvent.WINKFLASH)
RING_ENDS, RING_BEGINS = LineHappened(LineEvent.RINGEROFF), LineHappened(LineEvent.RINGERON)


def telephone(hotline: str = "", hotline_after_ms: int = 0, **config: Any) -> FxoSignalled:
    port = SetPort(channels="7", hotline=hotline, hotline_after_ms=hotline_after_ms)
    return FxoSignalled(7, SetsConfig(**config), PLAN, port)


def keys(text: str) -> list[Input]:
    return [DigitHeard(digit) for digit in text]


def lifted(**config: Any) -> FxoSignalled:
    made = telephone(**config)
    run(made, RINGOFFHOOK)
    return made


def talking(**config: Any) -> FxoSignalled:
    made = telephone(**config)
    run(made, CallWanted(), RINGOFFHOOK)
    return made


def offered(done: list[Action]) -> list[str | None]:
    return [action.dnis for action in done if isinstance(action, CallOffered)]
