"""Configuration of a primary rate span (`[[lines.pri]]`). Pure structs; knows nothing of libpri."""

from typing import Literal

import msgspec

Switch = Literal["euroisdn", "euroisdn_t1", "qsig", "ni1", "ni2", "dms100", "5ess", "4ess"]
NumberType = Literal["unknown", "international", "national", "subscriber", "abbreviated"]
NumberPlan = Literal["unknown", "isdn", "national", "private"]


class PriConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One D-channel and its B-channels, all by their number on the card (`channels` as "1-15,17-31").

    side: which one we are; the network gives the numbers of channels when both want one.
    overlap_receive: callers' digits may come one by one; the number is complete after dnis_digits (0: unknown), after "sending complete",
    or when none came for digit_wait_ms. overlap_send: digits of ours after the first `first_digits` go one by one, if the switch asks.
    called_type, caller_type, *_plan: how our numbers are marked. caller_number: told when the call itself has none. hide_number: the called
    party shall not see it. national_prefix, international_prefix: put before a caller's number of that type, unless it is there.
    keep_calls_ms: how long calls outlive the D-channel (T309). restart: B-channels are restarted when this process begins.
    service_messages: blocking is told to the far side, where the switch knows how (ni2, dms100, 5ess, 4ess).
    transfer: the switch can join two calls and release both channels. alert_after_ms: a call offered for so long is told to ring (0: only
    when the call agent says so).
    timers: others of libpri by their names, in ms or times, as in {T303 = 4000, N200 = 3}.
    """

    span: int = 0
    d_channel: int
    channels: str
    switch: Switch = "euroisdn"
    side: Literal["user", "network"] = "user"
    overlap_receive: bool = False
    dnis_digits: int = 0
    digit_wait_ms: int = 5000
    overlap_send: bool = False
    first_digits: int = 0
    called_type: NumberType = "unknown"
    called_plan: NumberPlan = "isdn"
    caller_type: NumberType = "unknown"
    caller_plan: NumberPlan = "isdn"
    caller_number: str = ""
    hide_number: bool = False
    national_prefix: str = "0"
    international_prefix: str = "00"
    keep_calls_ms: int = 90_000
    restart: bool = True
    service_messages: bool = False
    transfer: bool = False
    alert_after_ms: int = 100
    timers: dict[str, int] = {}
