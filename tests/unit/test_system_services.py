"""Services, logs, time, restart and factory reset of the box service, with small programs in place of the operating system's; what a
support bundle blots out."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config import Config
from appliance.system.box import Box
from appliance.system.errors import BoxError
from appliance.system.services.clock import set_time, told_time
from appliance.system.services.masking import BLOT, secrets_in, without_known, without_people, without_secrets
from appliance.system.services.messages import (
    AskLogs,
    AskServices,
    AskTime,
    FactoryReset,
    PrepareReset,
    ResetPart,
    RestartBox,
    RestartService,
    SetTime,
)
from appliance.system.services.power import restart_box
from appliance.system.services.reset import MARK, Mark, carry_out, factory_reset, prepare
from appliance.system.services.units import logs, restart, services
from drivers.clock import VirtualClock
from drivers.settings import Paths

NOW = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)


class Programs:
    """Those on PATH, and how they were called."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._journal = folder / "journal"

    def put(self, name: str, body: str = "exit 0") -> None:
        path = self._folder / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self._journal}\n{body}\n')
        path.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return self._journal.read_text().splitlines() if self._journal.exists() else []


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    return Programs(folder)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def box(tmp_path: Path, clock: VirtualClock) -> Box:
    paths = Paths(run_dir=str(tmp_path / "run"), data_dir=str(tmp_path / "data"))
    Path(paths.data_dir).mkdir()
    return Box(Config(paths=paths), tmp_path / "careline.toml", clock)


def quiet(percent: int, step: str) -> None:
    """Nobody listens."""


# --- services and logs --------------------------------------------------------------------------------------------------


def test_services_as_systemd_has_them(programs: Programs, box: Box) -> None:
    shown = "Id=careline-web.service\nActiveState=active\nSubState=running\nActiveEnterTimestamp=@1772935200\n"
    shown += "NRestarts=2\nMemoryCurrent=1000\nLoadState=loaded\n"
    gone = "Id=careline-old.service\nActiveState=inactive\nSubState=dead\nNRestarts=0\nMemoryCurrent=[not set]\nLoadState=not-found\n"
    programs.put(
        "systemctl",
        f"cat <<'END'\n{shown}\n{gone}\nId=chrony.service\nActiveState=failed\nLoadState=loaded\nMemoryCurrent=18446744073709551615\nEND",
    )
    web, chrony = services(box, AskServices(), quiet).services
    assert (web.name, web.state, web.since, web.restarts, web.memory_bytes) == ("web", "active", NOW, 2, 1000)
    assert (chrony.name, chrony.state, chrony.since, chrony.memory_bytes) == ("chrony", "failed", None, 0)


def test_only_our_own_services_are_restarted(programs: Programs, box: Box) -> None:
    programs.put("systemctl")
    restart(box, RestartService(name="web"), quiet)
    restart(box, RestartService(name="system"), quiet)  # this very service: not waited for
    for name in ("ssh.service", "../x", "", "-x", "a b", "web;reboot"):
        with pytest.raises(BoxError, match="SYS-013"):
            restart(box, RestartService(name=name), quiet)
    assert programs.calls == ["systemctl restart careline-web.service", "systemctl --no-block restart careline-system.service"]


def test_logs_are_bounded_and_go_on_where_they_stood(programs: Programs, box: Box) -> None:
    programs.put("journalctl", "printf 'one\\ntwo\\n-- cursor: s=9\\n'")
    told = logs(box, AskLogs(service="web", lines=10**9, cursor="s=1"), quiet)
    assert (told.lines, told.cursor) == (("one", "two"), "s=9")
    assert "--lines=1000 --after-cursor=s=1 --unit=careline-web.service" in programs.calls[0]


@pytest.mark.parametrize(("body", "code"), [("echo broken >&2; exit 3", "SYS-011"), (None, "SYS-010")])
def test_programs_that_fail_or_are_not_there(
    programs: Programs, box: Box, monkeypatch: pytest.MonkeyPatch, body: str | None, code: str
) -> None:
    if body:
        programs.put("systemctl", body)
    else:
        monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(BoxError, match=code):
        services(box, AskServices(), quiet)


# --- the clock ----------------------------------------------------------------------------------------------------------


def test_what_the_clock_follows(programs: Programs, box: Box) -> None:
    programs.put(
        "chronyc",
        "case $* in *tracking) echo C0A80101,192.168.1.1,3,1772935200.1,-0.000012,0;; *) printf '^,*,192.168.1.1,3\\n#,?,PPS0,0\\n';; esac",
    )
    told = told_time(box, AskTime(), quiet)
    assert (told.now, told.synchronised, told.source, told.offset_ms, told.servers) == (NOW, True, "192.168.1.1", -0.012, ("192.168.1.1",))


def test_without_chrony_the_clock_follows_nobody(programs: Programs, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    assert not told_time(box, AskTime(), quiet).synchronised


def test_setting_the_clock(programs: Programs, box: Box) -> None:
    programs.put("date")
    programs.put("hwclock", "exit 1")  # a box without one
    heard: list[str] = []
    set_time(box, SetTime(at=NOW), lambda percent, step: heard.append(step))
    assert programs.calls[0] == "date --utc --set=@1772935200"
    assert heard == ["no_hardware_clock"]
    with pytest.raises(BoxError, match="SYS-014"):
        set_time(box, SetTime(at=datetime(1999, 1, 1, tzinfo=UTC)), quiet)


# --- restart and factory reset ------------------------------------------------------------------------------------------


def test_a_restart_at_once_asks_nobody(programs: Programs, box: Box) -> None:
    programs.put("systemctl")
    restart_box(box, RestartBox(), quiet)
    restart_box(box, RestartBox(power_off=True), quiet)
    assert programs.calls == ["systemctl --no-block reboot", "systemctl --no-block poweroff"]


def test_a_restart_that_waits_for_calls_needs_to_know_of_them(programs: Programs, box: Box) -> None:
    programs.put("systemctl")
    with pytest.raises(BoxError, match="SYS-023"):
        restart_box(box, RestartBox(wait_s=10), quiet)
    assert programs.calls == []


def filled(box: Box) -> Path:
    data_dir = Path(box.config.paths.data_dir)
    for name in (
        "careline.db",
        "careline.db-wal",
        "lines.toml",
        "system/network.toml",
        "recordings/a/1.wav",
        "prompts/x.wav",
        "web-secret",
    ):
        path = data_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 10)
    return data_dir


def left(data_dir: Path) -> set[str]:
    return {str(path.relative_to(data_dir)) for path in data_dir.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        ((ResetPart.SETTINGS,), {"careline.db", "careline.db-wal", "recordings/a/1.wav", "prompts/x.wav", "web-secret"}),
        ((ResetPart.RECORDS,), {"lines.toml", "system/network.toml", "recordings/a/1.wav"}),
        (
            (ResetPart.RECORDINGS,),
            {"careline.db", "careline.db-wal", "lines.toml", "system/network.toml", "prompts/x.wav", "web-secret"},
        ),
        (tuple(ResetPart), set()),
    ],
)
def test_what_a_factory_reset_deletes(programs: Programs, box: Box, parts: tuple[ResetPart, ...], kept: set[str]) -> None:
    programs.put("systemctl")
    data_dir = filled(box)
    prepared = prepare(box, PrepareReset(parts=parts), quiet)
    assert prepared.bytes >= 10 * (7 - len(kept))
    factory_reset(box, FactoryReset(code=prepared.code, by="me"), quiet)
    assert len(left(data_dir)) == 7 + len({MARK})  # only once the box starts anew
    assert carry_out(box.config.paths)
    assert left(data_dir) == kept
    assert (data_dir / "recordings").is_dir()
    assert not carry_out(box.config.paths)


def test_a_power_cut_while_it_deletes_is_no_harm(box: Box) -> None:
    data_dir = filled(box)
    (data_dir / MARK).write_bytes(msgspec.json.encode(Mark(parts=tuple(ResetPart), by="me")))
    (data_dir / "careline.db").unlink()  # it came so far
    assert carry_out(box.config.paths)
    assert left(data_dir) == set()


def test_the_code_is_good_once_for_a_while_and_for_few_tries(programs: Programs, box: Box, clock: VirtualClock) -> None:
    programs.put("systemctl")
    code = prepare(box, PrepareReset(parts=(ResetPart.RECORDINGS,)), quiet).code
    for _ in range(3):
        with pytest.raises(BoxError, match="SYS-142"):
            factory_reset(box, FactoryReset(code="no code"), quiet)
    with pytest.raises(BoxError, match="SYS-142"):
        factory_reset(box, FactoryReset(code=code), quiet)
    code = prepare(box, PrepareReset(parts=(ResetPart.RECORDINGS,)), quiet).code
    late = msgspec.structs.replace(box, clock=VirtualClock(NOW + timedelta(minutes=6)))
    with pytest.raises(BoxError, match="SYS-142"):
        factory_reset(late, FactoryReset(code=code), quiet)
    factory_reset(box, FactoryReset(code=code), quiet)
    with pytest.raises(BoxError, match="SYS-142"):
        factory_reset(box, FactoryReset(code=code), quiet)


def test_a_box_that_cannot_restart_deletes_nothing(programs: Programs, box: Box) -> None:
    programs.put("systemctl", "exit 1")
    code = prepare(box, PrepareReset(parts=(ResetPart.RECORDS,)), quiet).code
    with pytest.raises(BoxError, match="SYS-011"):
        factory_reset(box, FactoryReset(code=code), quiet)
    assert not (Path(box.config.paths.data_dir) / MARK).exists()


def test_records_on_a_server_are_not_ours_to_delete(box: Box) -> None:
    paths = Paths(run_dir="/r", data_dir="/d", database_url="postgresql:///x")
    with pytest.raises(BoxError, match="SYS-141"):
        prepare(msgspec.structs.replace(box, config=Config(paths=paths)), PrepareReset(parts=(ResetPart.RECORDS,)), quiet)
    with pytest.raises(BoxError, match="SYS-140"):
        prepare(box, PrepareReset(parts=()), quiet)


# --- what must not leave the box ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        'secret = "hunter2hunter2"',
        "password='hunter2hunter2'",
        'community: "hunter2hunter2"',
        '{ name = "x", smtp_password = "hunter2hunter2" }',
        '"api-token": "hunter2hunter2",',
        'database = "postgresql://careline:hunter2hunter2@db/x"',
        'words = ["hunter2hunter2", "hunter2hunter2"]',
        "sim_pin = 'hunter2hunter2'",
    ],
)
def test_secrets_of_settings_are_blotted(line: str) -> None:
    blotted, count = without_secrets(f'port = 8080\n{line}\nname = "示范医院"\n')
    assert "hunter2" not in blotted
    assert count
    assert "port = 8080" in blotted
    assert "示范医院" in blotted


def test_people_in_logs_are_blotted() -> None:
    line = "2026-03-08T02:00:00+0000 careline-calls[812]: call +8613812345678 王小明 11010119900307857X 138-1234-5678 channel 12 APP-055"
    assert without_people(line)[0] == "2026-03-08T02:00:00+0000 careline-calls[812]: call *** *** *** *** channel 12 APP-055"


def test_whoever_is_known_is_found_in_any_text() -> None:
    text, count = without_known(
        '{"who": "John Q Smith", "no": "P00123", "k": "s3cr3ts3cr3t"}', {"s3cr3ts3cr3t"}, {"john q smith", "p00123"}
    )
    assert (text, count) == ('{"who": "***", "no": "***", "k": "***"}', 3)
    assert secrets_in('password = "s3cr3ts3cr3t"\nport = 80') == {"s3cr3ts3cr3t"}


@given(st.lists(st.sampled_from(["call", "13812345678", "王小明", "P00123", "John Smith", "7", "\n", "x=1,"]), max_size=30))
def test_nothing_known_is_left(parts: list[str]) -> None:
    text = without_people(" ".join(parts))[0]
    text = without_known(text, {"x=1,"}, {"p00123", "john smith"})[0]
    for hidden in ("13812345678", "王小明", "P00123", "John Smith", "x=1,"):
        assert hidden not in text
    assert without_known(text, {"x=1,"}, {"p00123", "john smith"})[1] == 0
    assert BLOT in text or not set(parts) - {"call", "7", "\n"}
