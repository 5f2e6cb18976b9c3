"""VLANs (IEEE 802.1Q) in a kernel that has them: made, spoken over, kept apart by the firewall, changed, taken away."""

import subprocess

from appliance.system.network import kernel, wanted
from appliance.system.network.firewall import Firewall
from appliance.system.network.model import Interface, Ipv4, Ipv6, Role, Settings, Vlan
from tests.lab.scenario import Report, scenario
from tests.network_box import put
from tests.network_house import House, house, in_own_network, lan, network, wait_until

MODULES = ("veth", "8021q", "nf_tables", "nft_ct", "nft_limit")
"""The guest's kernel has no program to load them by itself."""


def vlan(number: int, *roles: Role, **given: object) -> Vlan:
    """One with the network 10.NUMBER.0.0/24, the box being .5."""
    own = {"ipv4": Ipv4.STATIC, "addresses": (f"10.{number % 256}.0.5/24",), "roles": roles or (Role.HOSPITAL,)}
    return Vlan(**{"number": number, **own, **given})  # type: ignore[arg-type]  # by their names


def with_vlans(*vlans: Vlan) -> Settings:
    return network(lan(1, "10.1.0.5/24", vlans=vlans))


@scenario()
def vlans(report: Report) -> None:
    """Tagged traffic crosses, each VLAN has its own rules, and what is not wanted any more is gone."""
    subprocess.run(["modprobe", "-a", *MODULES], check=True)
    _vlans(report)


@in_own_network
def _vlans(report: Report) -> None:
    with house(1) as there:
        first = with_vlans(
            vlan(20, Role.MANAGEMENT), vlan(30, Role.VOICE, mtu=1400), vlan(4094, ipv6=Ipv6.STATIC, addresses6=("fd00::5/64",))
        )
        put(first)
        for number in (20, 30, 4094):
            far_vlan(there, number)
        seen = {link.device: (link.kind, link.vlan, link.mtu, link.up) for link in kernel.links()}
        assert seen["lan1.20"] == ("vlan", 20, 1500, True), seen
        assert seen["lan1.30"] == ("vlan", 30, 1400, True), seen
        assert set(seen) == {"card1", "lan1.20", "lan1.30", "lan1.4094"}, seen
        for address in ("10.20.0.5", "10.30.0.5", "fd00::5"):
            wait_until(lambda address=address: answers(there, address), 20)  # type: ignore[misc]  # bound now
        Firewall("nft").put_in_place(first, wanted.devices(first, kernel.links()))
        rules = subprocess.run(["nft", "list", "chain", "inet", "careline", "input"], capture_output=True, text=True, check=True).stdout
        assert '"lan1.20"' in rules
        assert '"lan1.30"' not in rules  # voice: nothing is listed for it
        put(first)  # again: nothing changes
        index = {link.device: link.index for link in kernel.links()}
        second = with_vlans(vlan(20, Role.MANAGEMENT, addresses=("10.20.0.6/24",)), vlan(40))
        put(second)
        now = {link.device: link for link in kernel.links()}
        assert set(now) == {"card1", "lan1.20", "lan1.40"}, now
        assert now["lan1.20"].index == index["lan1.20"], "a VLAN that stays is not made anew"
        assert [each.text for each in now["lan1.20"].addresses] == ["10.20.0.6/24"]
        put(first)
        put(second)
        assert {link.device: [each.text for each in link.addresses] for link in kernel.links()} == {
            name: [each.text for each in link.addresses] for name, link in now.items()
        }
        off_but_carrying = network(Interface(name="lan1", mac=lan(1).mac, vlans=(vlan(20, Role.MANAGEMENT),)))
        put(off_but_carrying)
        assert answers(there, "10.20.0.5")
        put(network(lan(1, "10.1.0.5/24")))
        assert {link.device for link in kernel.links()} == {"card1"}
        report.figure("vlans_seen", 4)


def far_vlan(there: House, number: int) -> None:
    there.far("ip", "link", "add", "link", "far1", "name", f"v{number}", "type", "vlan", "id", str(number))
    there.far("ip", "link", "set", f"v{number}", "up")
    there.far("ip", "address", "add", f"10.{number % 256}.0.9/24" if number < 256 else "fd00::9/64", "dev", f"v{number}")


def answers(there: House, address: str) -> bool:
    return " 1 received" in there.far("ping", "-c", "1", "-W", "1", address, check=False)
