"""What can go wrong at a serial line: wrong passwords, noise, Ctrl-C and Ctrl-Z, a cable pulled at any moment, a store that is not there.

The prompt comes back, and nothing is done by halves.
"""

import itertools
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.control.client import ControlClient
from appliance.control.messages import LiveSnapshot
from appliance.store.accounts import matches_hash
from appliance.store.errors import StoreError
from appliance.system.services.reset import carry_out
from drivers.settings import Paths
from tests.scenarios.console_rig import PASSWORD, START_LIMIT_S, Box, Technician, running_box, technician

MARKS = itertools.count(1)
INTERRUPTS = [b"\x03", b"\x1a"]  # Ctrl-C, Ctrl-Z


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    folder = Path(tempfile.mkdtemp(prefix="careline-", dir="/dev/shm"))
    with running_box(folder) as running:
        running.add_account("liwei", "administrator", "en")
        running.add_account("target", "technician", "en")
        yield running
    shutil.rmtree(folder)


@pytest.fixture
def here(box: Box) -> Iterator[Technician]:
    """Somebody who is logged in."""
    with technician(box) as somebody:
        somebody.log_in("liwei")
        yield somebody


def blocked(box: Box, channel: int) -> bool:
    """As the call agent has it."""
    with ControlClient(box.run_dir / "control.sock", "test") as client:
        live = next(message for message in client.subscribe() if isinstance(message, LiveSnapshot))
    return next(each.blocked for each in live.channels if each.number == channel)


# --- logging in ---------------------------------------------------------------------------------------------------------


def test_wrong_passwords_are_slowed_and_lock_the_account(box: Box) -> None:
    with technician(box) as guesser:
        guesser.expect("Enter to log in", START_LIMIT_S)
        guesser.send("\r")
        began_s = time.monotonic()
        for _ in range(5):
            guesser.expect("(login): ", START_LIMIT_S)
            guesser.sign_in("target", "guess guess 1")
            guesser.expect("账号已锁定")
            guesser.send("target\rguess\r")  # typed ahead: forgotten
        guesser.expect("线路断开", 60)
        assert time.monotonic() - began_s > 1 + 2 + 4 + 8
        assert guesser.wait() == 0
    account = box.account("target")
    assert account is not None
    assert account.locked_until is not None
    with technician(box) as owner:
        owner.expect("Enter to log in", START_LIMIT_S)
        owner.send("\r")
        owner.expect("(login): ", START_LIMIT_S)
        owner.sign_in("target", PASSWORD)
        owner.expect("账号已锁定")


def test_of_a_password_nothing_is_shown(box: Box) -> None:
    with technician(box) as somebody:
        somebody.log_in("liwei")
        assert PASSWORD not in somebody.heard


def test_log_out_by_ctrl_d_and_by_word(box: Box) -> None:
    for goodbye in ("\x04", "exit\r"):
        with technician(box) as somebody:
            somebody.log_in("liwei")
            somebody.send(goodbye)
            assert somebody.wait() == 0


# --- at the prompt ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interrupt", INTERRUPTS)
def test_an_interrupt_drops_the_line(box: Box, here: Technician, interrupt: bytes) -> None:
    here.send(b"channels block 5" + interrupt)
    here.expect("liwei> ")
    assert "liwei" in here.command("users list")
    assert not blocked(box, 5)


@pytest.mark.parametrize("interrupt", INTERRUPTS)
@pytest.mark.parametrize(
    "command", ["workplace calls --live --every 60", "logs show --follow", "channels test level {channel} --seconds 60"]
)
def test_an_interrupt_ends_a_command_that_goes_on(here: Technician, command: str, interrupt: bytes) -> None:
    here.send(command.format(channel=5 + INTERRUPTS.index(interrupt)) + "\r")
    here.expect("\r\n")
    here.expect("\r\n")
    here.send(interrupt)
    here.expect("liwei> ")
    assert "liwei" in here.command("users list")


def test_an_interrupt_at_a_question_does_nothing(box: Box, here: Technician) -> None:
    before = box.ran("systemctl")
    for line, asked in (("reboot --now", "to do it: "), ("services restart web", "to do it: "), ("factory-reset all", "give up): ")):
        here.send(line + "\r")
        here.expect(asked)
        here.send(b"yes\x03")
        here.expect("liwei> ")
    assert [line for line in box.ran("systemctl")[len(before) :] if not line.startswith("show")] == []
    assert not (box.data_dir / "factory-reset").exists()


def test_garbage_and_endless_lines_leave_the_prompt(box: Box, here: Technician) -> None:
    here.send(bytes(byte for byte in range(256) if byte not in (4, 10, 13)) * 20)
    here.send(b"\x03")
    here.send(b"channels block 4 " + b"9" * 5000 + b"\r")
    here.expect("too long")
    here.send(b"\xff\xfe\xc3\x28\x1b[\x1b]\x9b\x00\x00")
    here.send(b"\x15users list\r")
    here.expect("administrator")
    here.expect("liwei> ")
    assert not blocked(box, 4)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=1, max_size=60).map(lambda noise: noise.translate(None, b"\x04\r\n")), max_size=4))
def test_after_any_noise_the_prompt_comes_back(here: Technician, noise: list[bytes]) -> None:
    """Ctrl-C and a new line, as anybody would press them, and the console does as it is told."""
    for part in noise:
        here.send(part)
    mark = f"mark{next(MARKS)}"
    here.send(b"\x03\x15" + mark.encode() + b"\r")
    here.expect(f"no command '{mark}'")
    here.expect("liwei> ")
    assert "administrator" in here.command("users list")


def test_what_cannot_be_understood_is_told(here: Technician) -> None:
    assert "'nonsense' is too much" in here.command("status nonsense")
    assert "There is no command" in here.command("nonsense")


def test_a_new_alarm_is_told_before_the_next_prompt(box: Box, here: Technician) -> None:
    number = box.add_alarm("disk_low", "3 % free")
    assert f"! {number} CRITICAL: box: disk_low 3 % free" in here.command("history") + here.command("history")
    assert "! " not in here.command("history")
    assert f"You see to alarm {number}" in here.command(f"alarms ack {number}")
    assert "console:liwei" in here.command("alarms")


# --- the cable ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begun", ["channels block 3", "channels block 3 --no", "re"])
def test_what_was_not_ended_with_enter_is_not_done(box: Box, begun: str) -> None:
    with technician(box) as somebody:
        somebody.log_in("liwei")
        somebody.send(begun)
        somebody.expect(begun[-2:])
        somebody.pull()
        assert somebody.wait() == 0
    assert not blocked(box, 3)


def test_a_cable_pulled_between_two_inputs_changes_nothing(box: Box) -> None:
    for line, asked, written in (
        ("users reset target", "New password: ", "other words 11\r"),
        ("factory-reset all", "give up): ", ""),
        ("reboot --now", "to do it: ", "yes"),
    ):
        with technician(box) as somebody:
            somebody.log_in("liwei")
            somebody.send(line + "\r")
            somebody.expect(asked)
            somebody.send(written)
            somebody.pull()
            assert somebody.wait() == 0
    account = box.account("target")
    assert account is not None
    assert matches_hash(account.password_hash, PASSWORD)
    assert not (box.data_dir / "factory-reset").exists()
    assert not any("reboot" in line for line in box.ran("systemctl"))


def test_a_cable_pulled_while_a_command_goes_on_ends_the_session(box: Box) -> None:
    for line in ("logs show --follow", "workplace system --live", "channels test level 2 --seconds 300"):
        with technician(box) as somebody:
            somebody.log_in("liwei")
            somebody.send(line + "\r")
            somebody.expect("\r\n")
            somebody.expect("\r\n")
            somebody.pull()
            assert somebody.wait() == 0


def test_over_ssh_the_same_console_and_the_same_hang_up(box: Box) -> None:
    with technician(box, over_ssh=True) as somebody:
        somebody.expect("(login): ", START_LIMIT_S)
        somebody.sign_in("liwei", PASSWORD)
        somebody.expect("liwei> ")
        assert "administrator" in somebody.command("users list")
        somebody.send("channels block 3")
        somebody.expect("block 3")
        somebody.pull()
        somebody.wait()
    assert not blocked(box, 3)
    with technician(box, over_ssh=True) as somebody:
        somebody.expect("(login): ", START_LIMIT_S)
        somebody.sign_in("liwei", PASSWORD)
        somebody.expect("liwei> ")
        somebody.send("exit\r")
        assert somebody.wait() == 0


# --- factory reset, with a code -----------------------------------------------------------------------------------------


def test_a_factory_reset_needs_the_code_that_was_shown(box: Box, here: Technician) -> None:
    here.send("factory-reset recordings\r")
    told = here.expect("give up): ")
    code = told.split("Code ")[1][:6]
    here.send(("000000" if code != "000000" else "111111") + "\r")
    here.expect("SYS-142")
    assert not (box.data_dir / "factory-reset").exists()
    here.expect("liwei> ")
    here.send("factory-reset recordings\r")
    code = here.expect("give up): ").split("Code ")[1][:6]
    here.send(code + "\r")
    here.expect("The box restarts")
    assert "--no-block reboot" in box.ran("systemctl")
    recording = box.data_dir / "recordings/old.wav"
    recording.parent.mkdir(exist_ok=True)
    recording.write_bytes(b"x")
    assert carry_out(Paths(data_dir=str(box.data_dir)))
    assert not recording.exists()
    assert (box.data_dir / "careline.db").exists()
    assert not carry_out(Paths(data_dir=str(box.data_dir)))


# --- a box without accounts, without store ------------------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path: Path) -> Box:
    """Nothing runs; a configuration is there, and no store."""
    made = Box(tmp_path)
    for part in ("run", "data"):
        (tmp_path / part).mkdir()
    made.config.write_text(f'[paths]\nrun_dir = "{made.run_dir}"\ndata_dir = "{made.data_dir}"\n')
    return made


def test_a_box_nobody_has_used_lets_the_technician_at_the_cable_in(bare: Box) -> None:
    with technician(bare) as somebody:
        somebody.expect("Enter to log in", START_LIMIT_S)
        somebody.send("\r")
        somebody.expect("没有数据也没有账号", START_LIMIT_S)
        somebody.send("\r")
        somebody.expect("nobody> ")
        assert "APP-030" in somebody.command("status")
        assert "SYS-005" in somebody.command("services list")
        assert "没有这个命令的权限" in somebody.command("factory-reset all")


def test_the_first_administrator_is_made_at_the_console(bare: Box) -> None:
    bare.make_store()
    with technician(bare) as somebody:
        somebody.expect("Enter to log in", START_LIMIT_S)
        somebody.send("\r")
        somebody.expect("[zh]: ", START_LIMIT_S)
        somebody.send("en\r")
        somebody.expect("administrator: ")
        somebody.send("first\r")
        somebody.expect("New password: ")
        somebody.send(b"\x03")  # thought better of it: nothing is kept
        somebody.expect("[zh]: ")
        assert bare.account("first") is None
        for answer, asked in (("en", "administrator: "), ("first", "New password: "), (PASSWORD, "Once more: ")):
            somebody.send(answer + "\r")
            somebody.expect(asked)
        somebody.send(PASSWORD + "\r")
        somebody.expect("first> ")
    made = bare.account("first")
    assert made is not None
    assert made.role == "administrator"


def test_who_looked_after_the_box_gets_in_while_the_store_is_damaged(bare: Box) -> None:
    bare.make_store()
    bare.add_account("liwei", "administrator", "en")
    bare.add_account("mei", "inspector", "en")
    for name in ("liwei", "mei"):
        with technician(bare) as somebody:
            somebody.log_in(name)
    assert (bare.data_dir / "console-accounts").stat().st_mode & 0o077 == 0
    (bare.data_dir / "careline.db").write_bytes(b"this is no database" * 1000)
    with pytest.raises(StoreError):
        bare.account("liwei")
    with technician(bare) as somebody:
        somebody.expect("Enter to log in", START_LIMIT_S)
        somebody.send("\r")
        somebody.expect("STO-002", START_LIMIT_S)
        somebody.expect("(login): ")
        somebody.sign_in("mei", PASSWORD)  # may not look after the box, so is not in the copy
        somebody.expect("账号已锁定")
        somebody.expect("(login): ")
        somebody.sign_in("liwei", PASSWORD)
        somebody.expect("liwei> ")
        assert "STO-002" in somebody.command("users list")


def test_a_configuration_that_cannot_be_used_is_told_at_the_line(bare: Box) -> None:
    bare.config.write_text(bare.config.read_text() + "[nonsense]\n")
    with technician(bare) as somebody:
        somebody.expect("Enter to log in", START_LIMIT_S)
        somebody.send("\r")
        somebody.expect("CFG-003", START_LIMIT_S)
