"""The dialogue with a modem in software: getting ready, the SIM's PIN and its last try, sending, refusals, silence, finding the device."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.clock import RealClock
from drivers.modem import link as modem_link
from drivers.modem import modem as modem_module
from drivers.modem.body import bodies
from drivers.modem.errors import ModemError
from drivers.modem.faults import Refusal, Verdict, refusal_in
from drivers.modem.finding import find, is_device
from drivers.modem.link import SerialLink
from drivers.modem.modem import Modem, Place, Sent, Sim
from drivers.modem.pdu import Submit, submit
from drivers.modem.pin import PinGuard
from tests.modem_sim import ModemSim
from tests.sms_network import address, chinese_pdu

HELLO = submit("13800138000", bodies("你好", 0)[0])
FROM = address("8613800138000")
MakeSim = Callable[..., tuple[ModemSim, Modem]]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeSim]:
    """A modem with what is asked through its line; silence is not waited for long."""
    monkeypatch.setattr(modem_module, "PIN_LIMIT_S", 0.5)
    monkeypatch.setattr(modem_module, "SEND_LIMIT_S", 0.5)
    made: list[tuple[ModemSim, SerialLink]] = []

    def one(**how: object) -> tuple[ModemSim, Modem]:
        sim = ModemSim(**how)  # type: ignore[arg-type]  # whatever ModemSim takes
        link = SerialLink(sim.device, 115_200, RealClock())
        made.append((sim, link))
        return sim, Modem(link)

    yield one
    for sim, link in made:
        sim.close()
        link.close()


def test_getting_ready(make: MakeSim) -> None:
    sim, modem = make()
    modem.wake()
    assert (modem.name, modem.sim(), modem.set_up("SM")) == ("Acme Sim900", Sim.READY, "2,1,0,2,0")
    found = modem.condition(Sim.READY)
    assert (found.registered, found.operator, found.signal_dbm) == (True, "SIMNET", -71)
    assert "ATE0" in sim.commands


def test_a_modem_left_in_the_middle_of_a_message(make: MakeSim) -> None:
    sim, modem = make()
    modem._link._write(b"AT+CMGS=20\r0011")  # type: ignore[attr-defined]  # as a program killed then leaves it
    modem.wake()
    assert modem.set_up("SM")
    assert sim.sent == []


def test_a_message_goes_and_its_reference_comes(make: MakeSim) -> None:
    sim, modem = make()
    modem.wake()
    modem.set_up("SM")
    assert modem.send(HELLO) == Sent(1)
    assert [(each.digits, each.ucs2, each.report) for each in sim.sent] == [("13800138000", "你好", True)]


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("+CMS ERROR: 38", Verdict.RETRY),
        ("+CMS ERROR: 1", Verdict.NEVER),
        ("+CMS ERROR: 310", Verdict.HOLD),
        ("+CMS ERROR: 332", Verdict.UNCLEAR),
        ("+CME ERROR: 30", Verdict.HOLD),
        ("ERROR", Verdict.RETRY),
    ],
)
def test_refusals_are_values(make: MakeSim, said: str, verdict: Verdict) -> None:
    sim, modem = make()
    modem.wake()
    sim.trouble.refuse.append(said)
    answer = modem.send(HELLO)
    assert isinstance(answer, Refusal)
    assert (answer, answer.verdict, str(answer)) == (refusal_in(said), verdict, said)
    assert modem.send(HELLO) == Sent(1)


def test_silence_before_and_after_the_message(make: MakeSim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modem_link, "PROMPT_LIMIT_S", 0.3)
    sim, modem = make()
    modem.wake()
    sim.trouble.deaf = 1
    with pytest.raises(ModemError, match="SMS-003") as before:
        modem.send(HELLO)
    modem.wake()
    sim.trouble.swallow = 1
    with pytest.raises(ModemError, match="SMS-003") as after:
        modem.send(HELLO)
    assert (before.value.sent, after.value.sent) == (False, True)
    assert len(sim.sent) == 1


def test_unplugged(make: MakeSim) -> None:
    sim, modem = make()
    modem.wake()
    sim.close()
    with pytest.raises(ModemError, match="SMS-002"):
        modem.send(HELLO)


def test_no_such_device(tmp_path: Path) -> None:
    with pytest.raises(ModemError, match="SMS-001"):
        SerialLink(str(tmp_path / "none"), 115_200, RealClock())


def test_what_arrived_is_told_listed_read_and_removed(make: MakeSim) -> None:
    sim, modem = make()
    modem.wake()
    modem.set_up("SM")
    sim.arrive(chinese_pdu(FROM, "一"))
    sim.arrive(chinese_pdu(FROM, "二"))
    stored = modem.received()
    assert [each.index for each in stored] == [1, 2]
    again = modem.read(Place("SM", 2))
    assert again is not None
    assert again.pdu == stored[1].pdu
    assert all(modem.remove(each) for each in stored)
    assert (modem.received(), modem.read(Place("SM", 2)), sim.stored) == ([], None, {})


def guard(tmp_path: Path) -> PinGuard:
    return PinGuard(tmp_path / "tried")


def test_the_pin_opens_the_sim(make: MakeSim, tmp_path: Path) -> None:
    sim, modem = make(pin="1234")
    modem.wake()
    assert guard(tmp_path).unlock(modem, "1234") is Sim.READY
    assert guard(tmp_path).unlock(modem, "") is Sim.READY
    assert sim.tries == 3


def test_a_wrong_pin_is_tried_once_and_the_last_try_never(make: MakeSim, tmp_path: Path) -> None:
    sim, modem = make(pin="1234")
    modem.wake()
    for pin, code, tries in (("", "006", 3), ("0000", "007", 2), ("0000", "007", 2), ("1111", "007", 1), ("1234", "008", 1)):
        with pytest.raises(ModemError, match=f"SMS-{code}"):
            guard(tmp_path).unlock(modem, pin)
        assert sim.tries == tries
    sim.tries = 3
    assert guard(tmp_path).unlock(modem, "1234") is Sim.READY


def test_a_pin_without_an_answer_counts_as_refused(make: MakeSim, tmp_path: Path) -> None:
    sim, modem = make(pin="1234")
    modem.wake()
    sim.trouble.deaf_to = "AT+CPIN="
    with pytest.raises(ModemError, match="SMS-003"):
        guard(tmp_path).unlock(modem, "0000")
    sim.trouble.deaf_to = ""
    with pytest.raises(ModemError, match="SMS-007"):
        guard(tmp_path).unlock(modem, "0000")
    assert sim.tries == 3


def test_where_nothing_can_be_noted_no_pin_is_tried(make: MakeSim, tmp_path: Path) -> None:
    sim, modem = make(pin="1234")
    modem.wake()
    (tmp_path / "file").write_text("")
    with pytest.raises(ModemError, match="SMS-006"):
        PinGuard(tmp_path / "file" / "tried").unlock(modem, "1234")
    assert "AT+CPIN=" not in " ".join(sim.commands)


def test_a_locked_sim_asks_for_a_telephone(make: MakeSim, tmp_path: Path) -> None:
    sim, modem = make(pin="1234", tries=0)
    modem.wake()
    with pytest.raises(ModemError, match="SMS-009"):
        guard(tmp_path).unlock(modem, "1234")
    assert sim.commands[-1] == "AT+CPIN?"


def plug(sys_tty: Path, name: str, ids: tuple[str, str, str, str]) -> None:
    """sysfs as the kernel shows a USB serial device. Source: /sys/class/tty of Linux 6.1."""
    usb = sys_tty.parent / "devices" / f"usb-{ids[3]}"
    port = usb / f"1-1:1.{ids[2]}" / name
    port.mkdir(parents=True, exist_ok=True)
    for file, value in (("idVendor", ids[0]), ("idProduct", ids[1]), ("serial", ids[3])):
        (usb / file).write_text(f"{value}\n")
    (port.parent / "bInterfaceNumber").write_text(f"{ids[2]}\n")
    (sys_tty / name).mkdir(parents=True)
    (sys_tty / name / "device").symlink_to(port)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("usb:12d1:1001", "/dev/ttyUSB2"),
        ("usb:12d1:1001/02", "/dev/ttyUSB10"),
        ("usb:12d1:1001/2@B7", "/dev/ttyUSB10"),
        ("usb:1e0e:9001@A1", "/dev/ttyACM0"),
        ("/dev/serial/by-id/usb-modem", "/dev/serial/by-id/usb-modem"),
    ],
)
def test_a_usb_modem_is_found_whatever_its_number(tmp_path: Path, wanted: str, found: str) -> None:
    sys_tty = tmp_path / "tty"
    plug(sys_tty, "ttyUSB2", ("12d1", "1001", "00", "B7"))
    plug(sys_tty, "ttyUSB10", ("12d1", "1001", "02", "B7"))
    plug(sys_tty, "ttyACM0", ("1e0e", "9001", "00", "A1"))
    assert is_device(wanted)
    assert find(wanted, sys_tty) == found


def test_a_modem_that_is_not_plugged_in(tmp_path: Path) -> None:
    with pytest.raises(ModemError, match=re.escape("SMS-001")):
        find("usb:12d1:1001", tmp_path)
    assert not is_device("ttyUSB0")


def test_a_submit_is_a_value() -> None:
    assert submit("13800138000", bodies("你好", 0)[0]) == Submit(HELLO.hex, HELLO.octets)
