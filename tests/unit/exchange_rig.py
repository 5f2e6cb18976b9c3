"""An exchange with a few telephones and three lines to the box, for the tests of the exchange; the box is played by the test."""

from drivers.io import Hook
from drivers.media import Tone
from drivers.virtual.config import Answering, NumberConfig, SpanConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone
from tests.contract.rig import Rig

BOX = "88886666"
FRIEND, BUSY_ONE, NEVER_ONE = "1380001", "1380002", "1380003"
CONFIG = VirtualConfig(
    spans=(SpanConfig(kind=SpanKind.FXO, channels=3), SpanConfig(kind=SpanKind.FXS, channels=1)),
    numbers=(NumberConfig(number=BOX, spans=(1,)),),
    telephones=(
        TelephoneConfig(number=FRIEND, after_ms=3000),
        TelephoneConfig(number=BUSY_ONE, answering=Answering.BUSY),
        TelephoneConfig(number=NEVER_ONE, answering=Answering.NEVER),
    ),
    ring_limit_ms=30_000,
)


def phases(telephone: OutsideTelephone) -> list[str]:
    """Every phase from now on."""
    seen: list[str] = []
    telephone.on_state.append(lambda each: seen.append(each.phase.value))
    return seen


async def talking(rig: Rig, number: int = 1) -> OutsideTelephone:
    rig.answers(number)
    caller = rig.caller()
    caller.dial(BOX)
    await caller.reached(Phase.TALKING)
    await rig.pass_ms(700)
    return caller


async def seized(rig: Rig, digits: str, number: int = 1) -> None:
    """The box goes off-hook, waits for the dial tone and dials."""
    rig.open(number).set_hook(Hook.START)
    assert await rig.until(lambda: (Tone.DIAL, True) in rig.tones[number]), "no dial tone"
    rig.say(number, digits)
