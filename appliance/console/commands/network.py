"""The network: how it is, changing it with automatic return, confirming, undoing, and looking around.

A change is checked whole, then put into use for a minute; only `network confirm` keeps it. Pulling the cable keeps nothing.
"""

from collections.abc import Callable

import msgspec

from appliance.console.command import Argument, Command, Given, Report, number
from appliance.console.commands.overview import network_lines
from appliance.console.errors import ConsoleError, UsageError
from appliance.console.table import table
from appliance.console.width import printable
from appliance.console.work import Work
from appliance.store.rights import Right
from appliance.system.network.messages import (
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
    SettleNetwork,
    TraceHost,
    TryNetwork,
    UndoNetwork,
)
from appliance.system.network.model import Interface, Ipv4, Ipv6, Role, Services, Settings

ON_OFF = ("on", "off")


def show(work: Work, given: Given) -> Report:
    told = work.box(AskNetwork(by=work.by), NetworkTold)
    lines = network_lines(work, told)
    if not told.managed:
        lines.append(work.say("network.not_managed"))
    return Report(lines, told)


# --- changes ------------------------------------------------------------------------------------------------------------


def set_interface(work: Work, given: Given) -> Report:
    """All of one interface or VLAN ("lan1", "lan1.20") in one command."""
    told = work.box(AskNetwork(by=work.by), NetworkTold)
    changes = _changes(given)
    if not changes:
        raise UsageError("wrong.missing", name="--address, --dhcp, --off, --gateway, --roles, --ipv6")
    return _try(work, _with(told.settings, given["interface"], changes))


def _changes(given: Given) -> dict[str, object]:
    """Fields of an Attachment."""
    changes: dict[str, object] = {}
    if given["dhcp"]:
        changes |= {"ipv4": Ipv4.DHCP, "addresses": (), "gateway": ""}
    if given["off"]:
        changes |= {"ipv4": Ipv4.OFF, "ipv6": Ipv6.OFF, "addresses": (), "gateway": ""}
    if given["address"]:
        changes |= {"ipv4": Ipv4.STATIC, "addresses": (given["address"],)}
    if given["gateway"]:
        changes["gateway"] = "" if given["gateway"] == "none" else given["gateway"]
    if given["roles"]:
        changes["roles"] = given["roles"]
    if given["ipv6"]:
        changes |= _ipv6(given["ipv6"])
    return changes


def _ipv6(word: str) -> dict[str, object]:
    if word in (Ipv6.OFF, Ipv6.AUTOMATIC):
        return {"ipv6": Ipv6(word), "addresses6": ()}
    return {"ipv6": Ipv6.STATIC, "addresses6": (word,)}


def _with(settings: Settings, name: str, changes: dict[str, object]) -> Settings:
    """Raises: ConsoleError SYS-035 for an interface that is none."""
    own, _, vlan = name.partition(".")
    interfaces = []
    found = False
    for interface in settings.interfaces:
        if interface.name != own:
            interfaces.append(interface)
            continue
        changed, known = _changed(interface, vlan, changes)
        found = found or known
        interfaces.append(changed)
    if not found:
        known_names = ", ".join(each for each, _ in settings.attachments()) or "none"
        raise ConsoleError("SYS-035", f"there is no interface {name!r}", f"Known are: {known_names}")
    return msgspec.structs.replace(settings, interfaces=tuple(interfaces))


def _changed(interface: Interface, vlan: str, changes: dict[str, object]) -> tuple[Interface, bool]:
    """The interface or its VLAN with those changes, and whether there is such a one."""
    if not vlan:
        return msgspec.structs.replace(interface, **changes), True
    vlans = tuple(msgspec.structs.replace(each, **changes) if str(each.number) == vlan else each for each in interface.vlans)
    return msgspec.structs.replace(interface, vlans=vlans), vlan in [str(each.number) for each in interface.vlans]


def set_host(work: Work, given: Given) -> Report:
    return _replace(work, lambda settings: msgspec.structs.replace(settings, host_name=given["name"]))


def set_dns(work: Work, given: Given) -> Report:
    servers = () if given["server"] == ["none"] else tuple(given["server"])
    return _replace(work, lambda settings: msgspec.structs.replace(settings, dns=servers))


def set_service(work: Work, given: Given) -> Report:
    def change(settings: Settings) -> Settings:
        services: Services = msgspec.structs.replace(settings.services, **{given["service"]: given["state"] == "on"})
        return msgspec.structs.replace(settings, services=services)

    return _replace(work, change)


def _replace(work: Work, change: Callable[[Settings], Settings]) -> Report:
    return _try(work, change(work.box(AskNetwork(by=work.by), NetworkTold).settings))


def _try(work: Work, settings: Settings) -> Report:
    checked = work.box(CheckNetwork(settings=settings, probe=True, by=work.by), NetworkChecked)
    told = [f"{fault.code}: {fault.place}: {fault.what}. {fault.remedy}" for fault in checked.faults]
    if any(fault.refuses for fault in checked.faults):
        return Report([*told, work.say("network.refused")], checked, failed=True)
    if not checked.diff:
        return Report([*told, work.say("network.unchanged")], checked)
    work.tell(*(printable(line) for line in checked.diff.splitlines()), *told)
    return _trying(work, work.box(TryNetwork(settings=settings, by=work.by), NetworkTrying))


def _trying(work: Work, trying: NetworkTrying) -> Report:
    until = work.local(trying.trial.until, "%H:%M:%S")
    addresses = " ".join(trying.trial.addresses) or "-"
    return Report([work.say("network.in_use", addresses=addresses), work.say("network.confirm_by", until=until)], trying.trial)


def confirm(work: Work, given: Given) -> Report:
    number_ = _trial(work)
    work.long(SettleNetwork(number=number_, keep=True, by=work.by))
    return Report([work.say("network.kept")])


def undo(work: Work, given: Given) -> Report:
    """The change that is being tried, or with its number one of the history, which is then tried the same way."""
    if given["change"]:
        return _trying(work, work.box(UndoNetwork(number=given["change"], by=work.by), NetworkTrying))
    work.long(SettleNetwork(number=_trial(work), keep=False, by=work.by))
    return Report([work.say("network.undone")])


def _trial(work: Work) -> int:
    trial = work.box(AskNetwork(by=work.by), NetworkTold).trial
    if trial is None:
        raise ConsoleError("SYS-036", "no change is being tried", "A change that nobody confirmed was taken back; make it again")
    return trial.number


def history(work: Work, given: Given) -> Report:
    told = work.box(AskNetworkHistory(most=given["count"], by=work.by), NetworkHistory)
    lines: list[str] = []
    for version in told.versions:
        lines += [
            f"{version.number}  {work.local(version.at)}  {version.by}",
            *(f"    {printable(line)}" for line in version.diff.splitlines()),
        ]
    return Report(lines or [work.say("network.no_history")], told.versions)


# --- looking around -----------------------------------------------------------------------------------------------------


def ports(work: Work, given: Given) -> Report:
    told = work.box(AskPorts(by=work.by), PortsTold)
    rows = [
        (
            port.name,
            f"{port.protocol}/{port.port}",
            work.say("shell.yes" if port.open else "shell.no"),
            ",".join(work.word("role", role) for role in port.roles) or "-",
        )
        for port in told.listed
    ]
    listening = [
        (each.protocol, each.address, each.port, each.program or "-", work.say("shell.yes" if each.reachable else "shell.no"))
        for each in told.listening
    ]
    lines = table(work.heads("ports", "name", "port", "open", "roles"), rows, work.columns)
    lines += ["", *table(work.heads("ports", "protocol", "address", "number", "program", "reachable"), listening, work.columns)]
    return Report(lines, told)


def ping(work: Work, given: Given) -> Report:
    return _path(work, work.box(PingHost(host=given["host"], count=given["count"], by=work.by), PathTold))


def trace(work: Work, given: Given) -> Report:
    return _path(work, work.box(TraceHost(host=given["host"], by=work.by), PathTold))


def _path(work: Work, told: PathTold) -> Report:
    rows = [(hop.number, hop.address or "*", "-" if hop.time_ms is None else f"{hop.time_ms:.1f} ms") for hop in told.hops]
    reached = work.say("network.reached" if told.reached else "network.not_reached", host=told.host, address=told.address or "-")
    return Report([*table(work.heads("path", "number", "address", "time"), rows, work.columns), reached], told, failed=not told.reached)


def look_up(work: Work, given: Given) -> Report:
    told = work.box(LookUpName(name=given["name"], server=given["server"], by=work.by), NameTold)
    found = " ".join(told.addresses) or work.say("network.unknown_name")
    return Report([f"{told.name}: {found}  ({told.server}, {told.time_ms:.0f} ms)"], told, failed=not told.addresses)


def roles(word: str) -> tuple[Role, ...]:
    """ "voice,management". Raises: UsageError."""
    try:
        return tuple(Role(part) for part in word.split(","))
    except ValueError as error:
        raise UsageError("wrong.choice", word=word, choices=", ".join(Role)) from error


def _text(name: str) -> Argument:
    return Argument(name=name, option=True, required=False, default="")


HOST = Argument(name="host")
RIGHT = Right.MANAGE_NETWORK
COMMANDS = (
    Command(name="network show", zh="网络 查看", right=RIGHT, act=show),
    Command(
        name="network set",
        zh="网络 设置",
        right=RIGHT,
        act=set_interface,
        arguments=(
            Argument(name="interface"),
            *(_text("address"), _text("gateway"), _text("ipv6")),
            Argument(name="roles", option=True, required=False, default=(), read=roles),
            *(Argument(name="dhcp", flag=True), Argument(name="off", flag=True)),
        ),
    ),
    Command(name="network host", zh="网络 主机名", right=RIGHT, act=set_host, arguments=(Argument(name="name"),)),
    Command(name="network dns", zh="网络 域名", right=RIGHT, act=set_dns, arguments=(Argument(name="server", rest=True),)),
    Command(
        name="network service",
        zh="网络 服务",
        right=RIGHT,
        act=set_service,
        arguments=(Argument(name="service", choices=Services.__struct_fields__), Argument(name="state", choices=ON_OFF)),
    ),
    Command(name="network confirm", zh="网络 确认", right=RIGHT, act=confirm),
    Command(
        name="network undo",
        zh="网络 撤销",
        right=RIGHT,
        act=undo,
        arguments=(Argument(name="change", required=False, default=0, read=number(1, 10**6)),),
    ),
    Command(
        name="network history",
        zh="网络 历史",
        right=RIGHT,
        act=history,
        arguments=(Argument(name="count", option=True, required=False, default=10, read=number(1, 50)),),
    ),
    Command(name="network ports", zh="网络 端口", right=RIGHT, act=ports),
    Command(
        name="network ping",
        zh="网络 探测",
        right=RIGHT,
        act=ping,
        arguments=(HOST, Argument(name="count", option=True, required=False, default=4, read=number(1, 10))),
    ),
    Command(name="network trace", zh="网络 路径", right=RIGHT, act=trace, arguments=(HOST,)),
    Command(name="network lookup", zh="网络 解析", right=RIGHT, act=look_up, arguments=(Argument(name="name"), _text("server"))),
)
