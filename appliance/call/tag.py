"""What the line server keeps for us with each leg, so that a call agent that is killed leaves nothing undone.

The tag of the caller's leg says where the script stands: the place in the flow, and the results of the verbs that
were finished there. A new call agent runs the script of that place again from its start; verbs with a result
return it at once, the first one without a result finds in the leg's state (playing, recording, digits waiting)
how far it had come. Events not yet known to be on disk ride along. Pure.
"""

from typing import Any

import msgspec

from appliance.config import Language
from appliance.errors import CallError
from appliance.events import AnyHappened


class Step(msgspec.Struct, frozen=True, array_like=True):
    """A finished verb and its result (None, bool, int, str or a list of them)."""

    verb: str
    result: Any


class CallTag(msgspec.Struct, frozen=True, kw_only=True, tag="call-1", omit_defaults=True):
    """On the caller's leg. `seq` numbers the last event, `play_id` the last finished play; `consumed_seq` the last
    digit acted on; `rung` counts legs rung, `taken` messages begun; `settled` names finished recordings; `keys` are the last
    ones pressed, for the live view. `party_leg` is the leg of the other party while there is one. `direction`: of the call,
    which a set's is not the leg's. `held` hears music, `consult_leg` is the third; `handing`: to whom the switch is to hand the caller,
    `transfers` counts that. `edition`: of the flows the call walks; `stack`: sub-flow places to come back to; `vars`: what was found out,
    never a secret; `visit` counts places entered, `came` names the last ones; `put_back`: where a person wants the caller back;
    `secret`: this place asked for one, and is begun anew after a crash."""

    call_id: str
    direction: str = ""
    service: str = ""
    place: str = ""
    edition: int = 0
    stack: tuple[str, ...] = ()
    vars: dict[str, str | int] = {}
    visit: int = 0
    came: tuple[str, ...] = ()
    put_back: str = ""
    language: Language = "zh"
    keys: str = ""
    steps: tuple[Step, ...] = ()
    secret: bool = False
    seq: int = 0
    play_id: int = 0
    consumed_seq: int = 0
    rung: int = 0
    taken: int = 0
    answered: bool = False
    party_leg: str = ""
    party_answered: bool = False
    party_left: bool = False
    held: str = ""
    consult_leg: str = ""
    consult_answered: bool = False
    handing: str = ""
    transfers: int = 0
    recording: bool = False
    settled: tuple[str, ...] = ()
    closed: bool = False
    unstored: tuple[AnyHappened, ...] = ()


class PartyTag(msgspec.Struct, frozen=True, kw_only=True, tag="party-1"):
    """On any other leg of the call."""

    call_id: str


_decoder: msgspec.msgpack.Decoder[CallTag | PartyTag] = msgspec.msgpack.Decoder(CallTag | PartyTag)
encode = msgspec.msgpack.Encoder().encode


def decode(tag: bytes) -> CallTag | PartyTag:
    """Raises: CallError APP-001 for a tag of another version or not of ours."""
    try:
        return _decoder.decode(tag)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CallError("APP-001", f"a leg carries a tag that cannot be read: {error}", "The call is released; nothing to do") from error
