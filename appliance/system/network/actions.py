"""Which request of this subject is done by which function.

What talks to the kernel is loaded when the first request comes: clients import this table too, and need only its types.
"""

import threading
from typing import TYPE_CHECKING

from appliance.system.box import Action, Box, Tell
from appliance.system.errors import BoxError
from appliance.system.messages import SystemRequest
from appliance.system.network.messages import (
    REPLIES,
    AskNetwork,
    AskNetworkHistory,
    AskPorts,
    CheckNetwork,
    LookUpName,
    NameTold,
    NetworkChecked,
    NetworkHistory,
    NetworkTold,
    NetworkTrying,
    PathTold,
    PingHost,
    PortsTold,
    ReleaseAddress,
    ReportFailedLogin,
    SettleNetwork,
    TraceHost,
    TryNetwork,
    UndoNetwork,
)
from appliance.system.network.places import places

if TYPE_CHECKING:
    from appliance.system.network.desk import NetworkDesk
    from appliance.system.network.lockout import Failures

__all__ = ["ACTIONS", "REPLIES", "desk_of"]

LOOKING_AT_ONCE = 3

_making = threading.Lock()
_desks: "dict[str, tuple[NetworkDesk, Failures]]" = {}
_looking = threading.BoundedSemaphore(LOOKING_AT_ONCE)


def desk_of(box: Box) -> "NetworkDesk":
    """The one of this box, begun. Raises: BoxError SYS-057, 067."""
    return _parts(box)[0]


def _parts(box: Box) -> "tuple[NetworkDesk, Failures]":
    from appliance.system.network.desk import NetworkDesk
    from appliance.system.network.lockout import Failures
    from appliance.system.network.ports import ports_of

    with _making:
        key = box.config.paths.data_dir
        if key not in _desks:
            listed = ports_of(box.config.smdr, box.config.smdi)
            desk = NetworkDesk(box.config.network, places(box.config.paths, box.config.network), box.clock, listed)
            desk.begin()
            _desks[key] = (desk, Failures(box.clock))
        return _desks[key]


def told(box: Box, request: AskNetwork, tell: Tell) -> NetworkTold:
    from appliance.system.network import told as telling

    return telling.network(desk_of(box))


def check(box: Box, request: CheckNetwork, tell: Tell) -> NetworkChecked:
    return desk_of(box).check(request.settings, request.probe)


def attempt(box: Box, request: TryNetwork, tell: Tell) -> NetworkTrying:
    return desk_of(box).attempt(request.settings, request.by, request.soon)


def undo(box: Box, request: UndoNetwork, tell: Tell) -> NetworkTrying:
    desk = desk_of(box)
    return desk.attempt(desk.before(request.number), request.by, request.soon)


def settle(box: Box, request: SettleNetwork, tell: Tell) -> None:
    desk_of(box).settle(request)


def history(box: Box, request: AskNetworkHistory, tell: Tell) -> NetworkHistory:
    return desk_of(box).history(request.most)


def ports(box: Box, request: AskPorts, tell: Tell) -> PortsTold:
    from appliance.system.network import told as telling

    return telling.ports(desk_of(box))


def report(box: Box, request: ReportFailedLogin, tell: Tell) -> None:
    """Raises: BoxError SYS-065 for what is no address, SYS-058."""
    from appliance.system.network import lockout

    address = lockout.plain_address(request.address)
    desk, failures = _parts(box)
    if desk.managed and failures.is_too_many(address) and not lockout.is_never_locked(address, desk.own_and_routers()):
        desk.firewall.lock(address)


def release(box: Box, request: ReleaseAddress, tell: Tell) -> None:
    """Raises: BoxError SYS-065 for what is no address, SYS-058, SYS-063."""
    from appliance.system.network import lockout

    address = lockout.plain_address(request.address) if request.address else ""
    desk, failures = _parts(box)
    if not desk.managed:
        raise BoxError("SYS-063", "this machine's firewall is not looked after by Careline", "Set [network] manage in careline.toml")
    failures.forget(address)
    desk.firewall.release(address)


def ping(box: Box, request: PingHost, tell: Tell) -> PathTold:
    from appliance.system.network import paths

    with _Looking():
        return paths.ping(request.host, request.count)


def trace(box: Box, request: TraceHost, tell: Tell) -> PathTold:
    from appliance.system.network import paths

    with _Looking():
        return paths.trace(request.host)


def look_up(box: Box, request: LookUpName, tell: Tell) -> NameTold:
    from appliance.system.network import lockout, paths

    with _Looking():
        servers = (lockout.plain_address(request.server),) if request.server else desk_of(box).name_servers()
        return paths.look_up(request.name, servers)


class _Looking:
    """So few at once that nobody makes the box a thrower of packets. Raises: BoxError SYS-061."""

    def __enter__(self) -> None:
        if not _looking.acquire(blocking=False):
            raise BoxError("SYS-061", f"{LOOKING_AT_ONCE} others are looking around just now", "Try again in some seconds")

    def __exit__(self, *fault: object) -> None:
        _looking.release()


ACTIONS: dict[type[SystemRequest], Action] = {
    AskNetwork: told,
    CheckNetwork: check,
    TryNetwork: attempt,
    UndoNetwork: undo,
    SettleNetwork: settle,
    AskNetworkHistory: history,
    AskPorts: ports,
    ReportFailedLogin: report,
    ReleaseAddress: release,
    PingHost: ping,
    TraceHost: trace,
    LookUpName: look_up,
}
