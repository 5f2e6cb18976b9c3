"""A change of the network is tried, and taken back by itself unless somebody confirms it over what is new: at the deadline, after a crash,
after a power cut. Real kernel, virtual time.
"""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.system.errors import BoxError
from appliance.system.network import kernel, told
from appliance.system.network.messages import SettleNetwork
from tests.network_box import FIRST, Box, own
from tests.network_house import house, in_own_network, lan, mac, network, text_of, wait_until

OTHER = network(lan(1, "10.7.0.5/24", gateway="10.7.0.1"))


@in_own_network
def test_a_confirmed_change_stays_with_who_and_when(tmp_path: Path) -> None:
    with house(1):
        box = Box(tmp_path)
        box.keep(OTHER)
        assert own() == ["10.7.0.5/24"]
        box.after(120)
        assert box.outcome() == (True, "", "bob")
        assert own() == ["10.7.0.5/24"]
        assert box.started().kept.settings == OTHER
        assert [(each.number, each.by) for each in box.desk.history(10).versions] == [(2, "bob"), (1, "bob")]
        assert '-    "10.0.0.5/24",\n' in box.desk.history(10).versions[0].diff


@in_own_network
def test_nobody_confirms_and_it_is_as_before(tmp_path: Path) -> None:
    with house(1):
        box = Box(tmp_path)
        trying = box.attempt(OTHER)
        assert trying.trial.applied
        assert trying.trial.addresses == ("10.7.0.5",)
        assert (trying.trial.until - box.clock.now()).total_seconds() == 60
        box.clock.step_wall(timedelta(hours=-9))  # whoever sets the clock does not make it last
        box.after(59)
        assert own() == ["10.7.0.5/24"]
        box.after(1.5)
        assert own() == ["10.0.0.5/24"]
        assert [(route.to, route.via) for route in kernel.routes()] == [("0.0.0.0/0", "10.0.0.1")]
        assert box.outcome() == (False, "SYS-068", "alice")
        assert not box.places.trying.exists()
        with pytest.raises(BoxError, match="SYS-059"):
            box.settle(trying)


@in_own_network
def test_undone_by_hand(tmp_path: Path) -> None:
    with house(1):
        box = Box(tmp_path)
        box.settle(box.attempt(OTHER), keep=False)
        assert own() == ["10.0.0.5/24"]
        assert box.outcome() == (False, "", "bob")


@in_own_network
def test_only_who_comes_over_what_is_new_confirms(tmp_path: Path) -> None:
    with house(1):
        box = Box(tmp_path)
        trying = box.attempt(OTHER)
        for elsewhere in ("10.0.0.5", "10.7.0.6", "nonsense"):
            with pytest.raises(BoxError, match="SYS-060"):
                box.settle(trying, arrived_at=elsewhere)
        assert box.desk.trial() is not None
        box.settle(trying, arrived_at="::ffff:10.7.0.5")  # as a socket of both versions tells it
        assert box.outcome()[0]


@in_own_network
def test_who_is_not_signed_in_needs_the_key_and_only_that_trial_is_meant(tmp_path: Path) -> None:
    with house(1):
        box = Box(tmp_path)
        trying = box.attempt(OTHER)
        for by, key in (("", ""), ("", "guessed"), ("bob", "guessed")):
            with pytest.raises(BoxError, match="SYS-059"):
                box.settle(trying, by=by, key=key)
        with pytest.raises(BoxError, match="SYS-059"):
            box.desk.settle(SettleNetwork(number=trying.trial.number - 1, keep=True, by="bob"))
        box.settle(trying, by="", key=trying.key, arrived_at="10.7.0.5")
        assert box.outcome() == (True, "", "alice")


@in_own_network
def test_soon_the_answer_gets_out_first(tmp_path: Path) -> None:
    with house(1):
        box = Box(tmp_path)
        trying = box.attempt(OTHER, soon=True)
        assert own() == ["10.0.0.5/24"]
        with pytest.raises(BoxError, match="SYS-060"):  # before the change nothing is confirmed
            box.settle(trying)
        box.after(1.5)
        assert own() == ["10.7.0.5/24"]
        box.after(59)
        assert own() == ["10.7.0.5/24"]
        box.after(1.5)
        assert own() == ["10.0.0.5/24"]


@in_own_network
def test_a_box_service_that_dies_while_trying_goes_back_when_it_begins(tmp_path: Path) -> None:
    with house(1):
        box = Box(tmp_path)
        box.attempt(OTHER)
        assert own() == ["10.7.0.5/24"]
        box.started()
        assert own() == ["10.0.0.5/24"]
        assert box.outcome() == (False, "SYS-069", "alice")
        assert not box.places.trying.exists()
        box.started()
        assert box.desk.outcome is None
        box.keep(OTHER)  # numbers go on


@in_own_network
def test_dead_before_it_was_applied_or_after_it_was_kept(tmp_path: Path) -> None:
    with house(1):
        box = Box(tmp_path)
        box.attempt(OTHER, soon=True)
        left = box.places.trying.read_bytes()
        box.started()
        assert box.outcome()[1] == "SYS-069"
        box.keep(OTHER)
        box.places.trying.write_bytes(left)  # a power cut between keeping and tidying up
        box.started()
        assert own() == ["10.7.0.5/24"]
        assert box.desk.outcome is None


@in_own_network
def test_one_at_a_time_and_never_for_nothing(tmp_path: Path) -> None:
    with house(1):
        box = Box(tmp_path)
        with pytest.raises(BoxError, match="SYS-066"):
            box.attempt(FIRST)
        box.attempt(OTHER)
        with pytest.raises(BoxError, match="SYS-061: alice"):
            box.attempt(network(lan(1, "10.8.0.5/24")))


@in_own_network
def test_what_is_wrong_is_not_tried(tmp_path: Path) -> None:
    with house(1) as there:
        there.far_address(1, "10.0.0.9/24", "10.7.0.5/24", "fd00::7/64")
        Box(tmp_path)
        box = Box(tmp_path, kept=None, probe_ms=3000)  # it stops listening when it has heard
        with pytest.raises(BoxError, match="SYS-050"):
            box.attempt(network(lan(1)))
        with pytest.raises(BoxError, match=r"SYS-056: lan1.addresses: 10\.0\.0\.9 is taken by"):
            box.attempt(network(lan(1, "10.0.0.5/24", "10.0.0.9/24")))
        with pytest.raises(BoxError, match=r"SYS-056: lan1.addresses: 10\.7\.0\.5 is taken by"):
            box.attempt(OTHER)
        with pytest.raises(BoxError, match=r"SYS-056: lan1.addresses: fd00::7 is taken by"):
            box.attempt(network(lan(1, "10.0.0.5/24", ipv6="static", addresses6=("fd00::7/64",))))
        assert own() == ["10.0.0.5/24"]


@in_own_network
def test_what_cannot_be_put_in_place_is_taken_back_at_once(tmp_path: Path) -> None:
    nft = tmp_path / "nft"
    nft.write_text('#!/bin/sh\ntest -e "${0%/*}/broken" && { echo "it is broken" >&2; exit 1; }\nexec nft "$@"\n')
    nft.chmod(0o755)
    with house(1):
        box = Box(tmp_path, nft=str(nft))
        (tmp_path / "broken").touch()
        with pytest.raises(BoxError, match="SYS-058: the firewall cannot be set: it is broken"):
            box.attempt(OTHER)
        assert own() == ["10.0.0.5/24"]
        assert box.outcome()[:2] == (False, "SYS-058")
        assert [fault.code for fault in told.network(box.desk).faults] == ["SYS-058"]  # the box answers, and says that it is open
        (tmp_path / "broken").unlink()
        box.after(10.5)
        assert told.network(box.desk).faults == ()


@in_own_network
def test_a_full_disk_keeps_nothing_and_the_change_goes_back(tmp_path: Path) -> None:
    with house(1):
        box = Box(tmp_path)
        trying = box.attempt(OTHER)
        history = box.places.history
        os.rename(history, history.with_name("away"))
        history.touch()  # nothing can be written below it
        with pytest.raises(BoxError, match="SYS-067"):
            box.settle(trying)
        box.after(61)
        assert own() == ["10.0.0.5/24"]
        history.unlink()
        os.rename(history.with_name("away"), history)
        assert box.started().kept.settings == FIRST


@in_own_network
def test_a_damaged_file_gives_way_to_the_last_version(tmp_path: Path) -> None:
    with house(1):
        box = Box(tmp_path)
        box.keep(OTHER)
        box.places.kept.write_bytes(b"\x00" * 512)  # what some file systems leave of a file after a power cut
        assert box.started().kept.settings == OTHER
        (box.places.history / "000002.toml").write_text("interfaces = 7")
        assert box.started().kept.settings == FIRST
        assert own() == ["10.0.0.5/24"]


@in_own_network
def test_one_click_goes_back_before_a_change(tmp_path: Path) -> None:
    with house(1):
        box = Box(tmp_path)
        box.keep(OTHER)
        box.keep(network(lan(1, "10.8.0.5/24")))
        box.keep(box.desk.before(2))
        assert own() == ["10.0.0.5/24"]
        assert box.desk.kept.number == 4
        with pytest.raises(BoxError, match="SYS-062"):
            box.desk.before(99)


@in_own_network
def test_a_machine_that_others_look_after_is_only_looked_at(tmp_path: Path) -> None:
    with house(1):
        box = Box(tmp_path, kept=None, manage=False)
        with pytest.raises(BoxError, match="SYS-063"):
            box.attempt(OTHER)
        seen = told.network(box.desk)
        assert (seen.managed, [link.device for link in seen.links], own()) == (False, ["card1"], [])
        assert not box.places.kept.exists()


@in_own_network
def test_a_card_that_comes_later_is_set_up_when_it_comes(tmp_path: Path) -> None:
    with house(1) as there:
        box = Box(tmp_path, kept=None)
        with_second = network(lan(1, "10.0.0.5/24"), lan(2, "10.9.0.5/24"))
        box.keep(with_second)
        assert "SYS-043" in {fault.code for fault in told.network(box.desk).faults}
        there.add_cable(2)
        box.desk.step()
        assert own() == ["10.0.0.5/24", "10.9.0.5/24"]
        assert told.network(box.desk).faults == ()


@in_own_network
def test_a_pulled_cable_is_told(tmp_path: Path) -> None:
    with house(1) as there:
        box = Box(tmp_path)
        wait_until(lambda: told.network(box.desk).links[0].carrier)  # the kernel tells of a cable up to a second later
        link = told.network(box.desk).links[0]
        assert (link.name, link.mac, link.up, link.addresses) == ("lan1", mac(1), True, ("10.0.0.5/24",))
        there.pull(1)
        wait_until(lambda: not told.network(box.desk).links[0].carrier)
        assert told.network(box.desk).links[0].up


@in_own_network
def test_names_and_time_servers_are_written(tmp_path: Path) -> None:
    with house(1):
        box = Box(tmp_path)
        box.keep(network(lan(1, "10.0.0.5/24"), dns=("10.0.0.2", "fd00::2"), search=("ward.org",), ntp=("10.0.0.3", "ntp.ward.org")))
        resolv = text_of(box.places.resolv_conf).splitlines()[1:]
        assert resolv == ["search ward.org", "nameserver 10.0.0.2", "nameserver fd00::2", "options timeout:2 attempts:2"]
        assert text_of(box.places.time_sources).splitlines()[1:] == ["server 10.0.0.3 iburst", "server ntp.ward.org iburst"]


@in_own_network
def test_a_box_whose_disk_takes_nothing_has_its_network_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "system").touch()  # nothing can be written below it
    with house(1):
        box = Box(tmp_path, kept=None)
        assert own() == ["169.254.77.1/16"]
        with pytest.raises(BoxError, match="SYS-067"):
            box.attempt(FIRST)
        box.desk.stop()
