"""Requests and answers about the network (see appliance.system.messages for how they travel). Plain data.

The way of a change: CheckNetwork (optional) → TryNetwork → the box has the new settings → SettleNetwork(keep=True) within 60 s, coming in
after the change and over it; otherwise the old ones are put back. Settings are always sent whole: read them with AskNetwork, change a part
with msgspec.structs.replace, send all.
"""

from datetime import datetime

import msgspec

from appliance.system.messages import SystemRequest
from appliance.system.network.model import NetworkFault, Role, Settings
from drivers.protocol import Message

# --- parts ---------------------------------------------------------------------------------------------------------------


class LeaseTold(msgspec.Struct, frozen=True, kw_only=True):
    """What a DHCP server gave. `until`: when it ends unless renewed."""

    address: str
    gateway: str = ""
    dns: tuple[str, ...] = ()
    domain: str = ""
    server: str = ""
    until: datetime


class LinkTold(msgspec.Struct, frozen=True, kw_only=True):
    """One interface or VLAN as it is now. `name`: of the settings, "" for a card that they do not know; `device`: the kernel's name.

    carrier: a cable is in and the far end is alive. addresses: with prefix. dhcp: asked for, and waiting if `lease` is None. Counters since
    the link was made.
    """

    name: str
    device: str
    mac: str
    place: str
    roles: tuple[Role, ...] = ()
    up: bool
    carrier: bool
    mtu: int
    speed_mbps: int | None = None
    addresses: tuple[str, ...] = ()
    dhcp: bool = False
    lease: LeaseTold | None = None
    received_bytes: int = 0
    sent_bytes: int = 0
    received_packets: int = 0
    sent_packets: int = 0
    errors: int = 0
    dropped: int = 0


class RouteTold(msgspec.Struct, frozen=True, kw_only=True):
    """`to`: "default" or a network; `learnt`: from DHCP or router advertisements."""

    to: str
    via: str
    device: str
    learnt: bool = False


class TrialTold(msgspec.Struct, frozen=True, kw_only=True):
    """A change that is being tried. `applied`: the box has the new settings (they may be a moment away). addresses: where the box answers
    now, best for management first, without prefix."""

    number: int
    by: str
    began_at: datetime
    until: datetime
    applied: bool
    addresses: tuple[str, ...] = ()
    diff: str = ""


class OutcomeTold(msgspec.Struct, frozen=True, kw_only=True):
    """How the last trial ended. `code`: why it was taken back by itself ("" when a person said so)."""

    number: int
    at: datetime
    by: str
    kept: bool
    code: str = ""
    what: str = ""
    remedy: str = ""


class VersionTold(msgspec.Struct, frozen=True, kw_only=True):
    """One change that was kept, newest first. `diff`: unified, against the version before."""

    number: int
    at: datetime
    by: str
    diff: str


class PortTold(msgspec.Struct, frozen=True, kw_only=True):
    """A port the firewall knows. `open`: on those networks, now."""

    name: str
    protocol: str
    port: int
    roles: tuple[Role, ...]
    open: bool
    why: str


class ListeningTold(msgspec.Struct, frozen=True, kw_only=True):
    """A socket that waits for others, as the kernel has it. `reachable`: the firewall lets others in to it on at least one network."""

    protocol: str
    address: str
    port: int
    program: str = ""
    reachable: bool = False


class LockedTold(msgspec.Struct, frozen=True, kw_only=True):
    """An address that is shut out for failed log-ins."""

    address: str
    for_s: int


class HopTold(msgspec.Struct, frozen=True, kw_only=True):
    """One try of a ping, or one router on the way. `address` "" and `time_ms` None: nobody answered in time."""

    number: int
    address: str = ""
    time_ms: float | None = None


# --- state and changes -------------------------------------------------------------------------------------------------


class AskNetwork(SystemRequest, frozen=True, kw_only=True):
    """Answered by NetworkTold."""


class NetworkTold(Message, frozen=True, kw_only=True):
    """managed: false where Careline only looks on ([network] manage of careline.toml); changes are refused then. version: of the settings
    kept. settings: those kept (not those tried). faults: what is wrong now."""

    managed: bool
    version: int
    settings: Settings
    links: tuple[LinkTold, ...] = ()
    host_name: str = ""
    routes: tuple[RouteTold, ...] = ()
    dns: tuple[str, ...] = ()
    trial: TrialTold | None = None
    outcome: OutcomeTold | None = None
    faults: tuple[NetworkFault, ...] = ()
    locked: tuple[LockedTold, ...] = ()


class CheckNetwork(SystemRequest, frozen=True, kw_only=True):
    """Answered by NetworkChecked. Nothing changes. `probe`: also ask on the cables whether a new address is taken (takes 1 to 3 s)."""

    settings: Settings
    probe: bool = False


class NetworkChecked(Message, frozen=True, kw_only=True):
    """`diff` is empty when nothing would change. It may be tried if no fault refuses."""

    diff: str
    faults: tuple[NetworkFault, ...] = ()


class TryNetwork(SystemRequest, frozen=True, kw_only=True):
    """Check, probe, put into use for a minute. Answered by NetworkTrying; refused with the first fault that refuses.

    `soon`: answer first and change 1.5 s later, so that the answer still gets out on the way it came (browser, SSH). Without it the answer
    comes when the new settings are in use, or are taken back since the kernel refused them (serial console).
    """

    settings: Settings
    soon: bool = False


class UndoNetwork(SystemRequest, frozen=True, kw_only=True):
    """Try the settings as they were before change `number` of the history. Answered by NetworkTrying, like TryNetwork."""

    number: int
    soon: bool = False


class NetworkTrying(Message, frozen=True, kw_only=True):
    """`key`: opens the confirmation to who began the trial, without signing in (the new address may have no session yet)."""

    trial: TrialTold
    key: str


class SettleNetwork(SystemRequest, frozen=True, kw_only=True):
    """Keep what is tried, or put back what was. `number`: the trial meant. `arrived_at`: the address of this box that the person's request
    came to ("" from a serial console): keeping counts only if the settings tried have it. `key`: as in NetworkTrying, for who is not signed
    in ("" for who is)."""

    number: int
    keep: bool
    arrived_at: str = ""
    key: str = ""


class AskNetworkHistory(SystemRequest, frozen=True, kw_only=True):
    """Answered by NetworkHistory."""

    most: int = 50


class NetworkHistory(Message, frozen=True, kw_only=True):
    versions: tuple[VersionTold, ...] = ()


# --- firewall --------------------------------------------------------------------------------------------------------------


class AskPorts(SystemRequest, frozen=True, kw_only=True):
    """Answered by PortsTold."""


class PortsTold(Message, frozen=True, kw_only=True):
    listed: tuple[PortTold, ...] = ()
    listening: tuple[ListeningTold, ...] = ()


class ReportFailedLogin(SystemRequest, frozen=True, kw_only=True):
    """Somebody at `address` gave a wrong password. Ten within ten minutes shut the address out for 15 minutes."""

    address: str


class ReleaseAddress(SystemRequest, frozen=True, kw_only=True):
    """Let an address in again; "" for all of them."""

    address: str = ""


# --- looking around --------------------------------------------------------------------------------------------------------


class PingHost(SystemRequest, frozen=True, kw_only=True):
    """Answered by PathTold: `count` tries (1 to 10), a second apart at most. `host`: a name or address."""

    host: str
    count: int = 4


class TraceHost(SystemRequest, frozen=True, kw_only=True):
    """Answered by PathTold: the routers on the way, 20 at most."""

    host: str


class PathTold(Message, frozen=True, kw_only=True):
    """`address`: what the host's name stands for; `reached`: it answered."""

    host: str
    address: str
    reached: bool
    hops: tuple[HopTold, ...] = ()


class LookUpName(SystemRequest, frozen=True, kw_only=True):
    """Ask a name server. `server` "": each of those in use in turn until one answers. Answered by NameTold."""

    name: str
    server: str = ""


class NameTold(Message, frozen=True, kw_only=True):
    """`addresses` empty: the server knows no such name."""

    name: str
    server: str
    addresses: tuple[str, ...] = ()
    time_ms: float = 0.0


REPLIES: tuple[type[Message], ...] = (
    NetworkTold,
    NetworkChecked,
    NetworkTrying,
    NetworkHistory,
    PortsTold,
    PathTold,
    NameTold,
)
