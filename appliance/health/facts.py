"""What is known of the box at one moment: one struct, made by the gatherers, looked at by the rules. Pure.

None means that it is not known (not asked, no such thing here, nobody answers): rules about it neither begin nor end an alarm then.
"""

from datetime import datetime

import msgspec

from appliance.control.messages import Check, SelfCallTold
from drivers.protocol import ChannelState, SpanState


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """What the call agent tells. `ringing`: callers that nothing has answered yet."""

    spans: tuple[SpanState, ...] = ()
    channels: tuple[ChannelState, ...] = ()
    checks: tuple[Check, ...] = ()
    calls: int = 0
    ringing: int = 0
    tick_late_ms: float = 0.0
    calls_today: int = 0


class Ups(msgspec.Struct, frozen=True, kw_only=True):
    """`status`: NUT's words ("OL CHRG"). `fault`: why it is not known."""

    status: tuple[str, ...] = ()
    charge_percent: float | None = None
    runtime_s: float | None = None
    fault: str = ""

    @property
    def on_battery(self) -> bool:
        return "OB" in self.status

    @property
    def low(self) -> bool:
        """It is about to end, or its owner says that all must go down now."""
        return self.on_battery and bool({"LB", "FSD"} & set(self.status))


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """`agent_quiet_s`: since the call agent said anything, None before it could have been asked. `lines` is None while it says nothing.

    disk_free_percent by folder, temperatures (°C) by sensor, certificates (days left) by file, contacts by name (True: closed). step_s: how
    far the clock was stepped lately. web_fault, store_fault: empty when well. senders: faults by sender. update: "", "waiting", "failed".
    peripherals: faults by name ("sms", "smdr NAME", "smdi"), empty when well; cards: faults by card.
    """

    at: datetime
    agent_quiet_s: float | None = None
    lines: Lines | None = None
    disk_free_percent: dict[str, float] = {}
    memory_free_percent: float | None = None
    temperatures: dict[str, float] = {}
    clock_synchronised: bool | None = None
    step_s: float = 0.0
    certificates: dict[str, float] = {}
    backup_age_h: float | None = None
    update: str | None = None
    update_detail: str = ""
    ups: Ups | None = None
    self_call: SelfCallTold | None = None
    web_fault: str | None = None
    store_fault: str = ""
    contacts: dict[str, bool] = {}
    senders: dict[str, str] = {}
    peripherals: dict[str, str] | None = None
    cards: dict[str, str] | None = None
