"""Lines of an exchange brought into a state by events alone, for the tests of their table."""

from typing import Any

from drivers.protocol import Caller, NumberSource, Presentation, TransferWhen
from drivers.signalling import AnswerWanted, CallerIdHeard, CallWanted, NumberSent, SwitchTransferWanted, TimerFired, ToneHeard
from drivers.signalling.fxo import FxsSignalled
from drivers.signalling.fxo_profile import LineProfile
from tests.unit.analog_rig import RINGBEGIN, run

ZHANG = Caller("13800138000", Presentation.ALLOWED, NumberSource.FSK, "Zhang")
WITHHELD = Caller("", Presentation.RESTRICTED, NumberSource.FSK)


def line(**profile: Any) -> FxsSignalled:
    """Without caller id unless it is asked for."""
    return FxsSignalled(7, LineProfile(**{"caller_id": (), **profile}))


def ringing(**profile: Any) -> FxsSignalled:
    made = line(**profile)
    run(made, RINGBEGIN, TimerFired("ring_confirm"))
    return made


def talking(**profile: Any) -> FxsSignalled:
    made = ringing(**profile)
    if made.profile.caller_id:
        run(made, CallerIdHeard(ZHANG))
    run(made, AnswerWanted())
    return made


def calling(**profile: Any) -> FxsSignalled:
    """The number is being dialled."""
    made = line(**profile)
    run(made, CallWanted("8001"), ToneHeard("dial"))
    return made


def progressing(**profile: Any) -> FxsSignalled:
    """The number has been dialled."""
    made = calling(**profile)
    run(made, NumberSent())
    return made


def consulting(when: TransferWhen = TransferWhen.ANSWERED, **profile: Any) -> FxsSignalled:
    """A caller is on hold in the switch, and the target has been dialled."""
    made = talking(**profile)
    run(made, SwitchTransferWanted("8002", when, 20_000), TimerFired("flash"), ToneHeard("dial"), NumberSent())
    return made
