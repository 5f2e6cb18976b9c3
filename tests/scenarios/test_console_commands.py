"""Every command of the console over a serial line, in both languages, against a whole box."""

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from appliance.console.commands import TABLE
from tests.scenarios.console_rig import PASSWORD, Box, Technician, running_box, technician

BUILT_IN = ("help", "language", "history", "password", "exit")
SESSION_ENDS = ("password", "exit")
NEW_PASSWORD = "staple battery 7"


class Tried(NamedTuple):
    """What is written behind a command, what then stands on the screen (a regular expression, {name} for what is known only then), and what
    is answered to its questions."""

    words: str
    en: str
    zh: str
    answers: tuple[str, ...] = ()


TRIED: dict[str, Tried] = {
    "status": Tried("", r"Line server +connected.*Calls now +1", r"线路程序 +正常.*正在通话 +1"),
    "workplace calls": Tried("", r"Sets +2, talking 0.*in the flow", r"话机 +共 2，通话中 0.*语音流程"),
    "workplace business": Tried("", r"Calls today +[12].*Open complaints +0", r"今天来电 +[12].*未结投诉 +0"),
    "workplace system": Tried("", r"audio engine.*web +active +2", r"语音引擎.*web +运行 +2"),
    "workplace network": Tried("", r"Host name +\S+.*Interface", r"主机名 +\S+.*网口"),
    "spans list": Tried("", r"Virtual FXO span 1 +8 +none", r"Virtual FXO span 1 +8 +正常"),
    "channels list": Tried("span:2", r"9 +sets +fxoks +free", r"9 +sets +fxoks +空闲"),
    "channels block": Tried("7", r"Blocked: channel 7", r"已停用 channel 7"),
    "channels unblock": Tried("7", r"Taking calls again: channel 7", r"已恢复 channel 7"),
    "channels reset": Tried("group:sets", r"Counters reset: group sets", r"已清零 group sets"),
    "channels test": Tried("dial_tone 8 --seconds 10", r"testing.*passed: dial tone heard", r"测试进行中.*通过: 听到拨号音"),
    "channels learn": Tried("99 12345", r"LIN-\d+|APP-\d+: there is no such line", r"LIN-\d+|APP-\d+: 没有这样的线路"),
    "channels history": Tried(
        "--count 5", r"Actions:.*console:liwei: counters_reset group sets", r"操作：.*console:liwei: counters_reset group sets"
    ),
    "calls list": Tried("", r"in +in the flow +1 +139\d+", r"呼入 +语音流程 +1 +139\d+"),
    "calls show": Tried("{call}", r"Direction +in.*Recorded +yes", r"方向 +呼入.*录音 +是"),
    "calls hangup": Tried("{call}", r"Hung up: {call}", r"已挂断 {call}", ("yes",)),
    "calls history": Tried("--count 3", r" in +139\d+", r" 呼入 +139\d+"),
    "sets list": Tried("", r"VIRT/2/1 +sets +free", r"VIRT/2/1 +sets +空闲"),
    "alarms list": Tried("", r"no alarms|Severity", r"没有告警|级别"),
    "alarms ack": Tried("987654", r"ALM-003: there is no such alarm", r"ALM-003: 没有这个告警"),
    "alarms history": Tried("", r"no alarm yet|Severity", r"还没有过告警|级别"),
    "network show": Tried("", r"it only looks on", r"只能查看"),
    "network set": Tried("lan1 --address 192.0.2.77/24", r"SYS-06\d|SYS-035", r"SYS-06\d|SYS-035"),
    "network host": Tried("box7", r"SYS-06\d", r"SYS-06\d"),
    "network dns": Tried("192.0.2.53", r"SYS-06\d", r"SYS-06\d"),
    "network service": Tried("ssh on", r"SYS-06\d", r"SYS-06\d"),
    "network confirm": Tried("", r"SYS-036: no change is being tried", r"SYS-036: 没有正在试用的改动"),
    "network undo": Tried("", r"SYS-036: no change is being tried", r"SYS-036: 没有正在试用的改动"),
    "network history": Tried("", r"no change yet", r"还没有改动"),
    "network ports": Tried("", r"https +tcp/443 +no", r"https +tcp/443 +否"),
    "network ping": Tried("127.0.0.1 --count 1", r"127\.0\.0\.1", r"127\.0\.0\.1"),
    "network trace": Tried("127.0.0.1", r"127\.0\.0\.1", r"127\.0\.0\.1"),
    "network lookup": Tried("no.such.name --server 127.0.0.1", r"SYS-\d+|no such name", r"SYS-\d+|没有这个域名"),
    "time show": Tried("", r"Synchronised +yes.*Follows +192\.168\.1\.1", r"已同步 +是.*来源 +192\.168\.1\.1"),
    "time set": Tried("2026-03-08 10:30", r"The time is set to 2026-03-08 10:30:00", r"时间已设为 2026-03-08 10:30:00"),
    "time ntp": Tried("192.0.2.123", r"SYS-06\d", r"SYS-06\d"),
    "users list": Tried("", r"liwei +administrator +in order", r"liwei +管理员 +正常"),
    "users reset": Tried("wang", r"wang has a new password", r"wang 的密码已更改", (NEW_PASSWORD, NEW_PASSWORD)),
    "backup targets": Tried("", r"no targets|Target", r"没有备份目标|目标"),
    "backup add": Tried("folder {language} --path {folder}", r"Target en is added", r"目标 zh 已添加"),
    "backup nightly": Tried("on {language} --at 03:15", r"nightly backup is set", r"每夜备份的设置已保存"),
    "backup words": Tried("", r"([A-Z2-9]{{4}}-)+[A-Z2-9]{{4}}.*Write them down", r"([A-Z2-9]{{4}}-)+[A-Z2-9]{{4}}.*请抄下", (PASSWORD,)),
    "backup now": Tried("{language}", r"Backup \S+ is at en", r"备份 \S+ 已存到 zh"),
    "backup status": Tried("", r"Nightly +yes.*good", r"每夜备份 +是.*完好"),
    "backup list": Tried("{language}", r"{backup}", r"{backup}"),
    "backup verify": Tried("{backup} {language}", r"is good: \d+ files", r"完好：\d+ 个文件"),
    "backup restore": Tried("{backup} {language}", r"SYS-038: wrong password", r"SYS-038: 密码不对", ("yes", "not my password")),
    "backup confirm": Tried("", r"SYS-1\d\d", r"SYS-1\d\d", ("yes",)),
    "backup undo": Tried("", r"SYS-1\d\d", r"SYS-1\d\d", ("yes", PASSWORD)),
    "backup cancel": Tried("", r"It stops|SYS-1\d\d", r"已停止|SYS-1\d\d"),
    "backup disks": Tried("", r"Device +Label", r"设备 +卷标"),
    "backup remove": Tried("{language}", r"Target en is removed", r"目标 zh 已移除", ("yes",)),
    "update status": Tried("", r"Version +\d", r"版本 +\d"),
    "update list": Tried("", r"There is no bundle", r"没有升级包"),
    "update check": Tried("upload:none.raucb", r"SYS-07\d", r"SYS-07\d"),
    "update install": Tried("upload:none.raucb", r"SYS-07\d", r"SYS-07\d", ("yes",)),
    "update restart": Tried("--within 0", r"restarts when there is no call|SYS-0\d\d", r"没有通话时重启|SYS-0\d\d", ("yes",)),
    "update cancel": Tried("", r"called off|SYS-0\d\d", r"已取消|SYS-0\d\d"),
    "update back": Tried("", r"SYS-0\d\d", r"SYS-0\d\d", ("yes",)),
    "update stay": Tried("", r"SYS-0\d\d", r"SYS-0\d\d", ("yes",)),
    "logs show": Tried("web --lines 20", r"careline-web\[77\]: the pages are up", r"careline-web\[77\]: the pages are up"),
    "services list": Tried("", r"web +active +running.*chrony +FAILED", r"web +运行 +running.*chrony +失败"),
    "services restart": Tried("web", r"web was restarted", r"web 已重启", ("yes",)),
    "reboot": Tried("--now", r"The box restarts", r"设备正在重启", ("yes",)),
    "shutdown": Tried("--now", r"The box shuts down", r"设备正在关机", ("yes",)),
    "factory-reset": Tried(
        "recordings", r"will be deleted.*recordings.*Nothing was deleted", r"将删除以下内容.*录音.*没有删除任何内容", ("",)
    ),
    "support bundle": Tried("", r"Files in it +1\d", r"内容项 +1\d"),
    "history": Tried("", r"2  status", r"2  状态"),
    "help": Tried("calls", r"calls hangup CALL", r"通话 挂断 CALL"),
    "language": Tried("{language}", r"English from now on", r"已改为中文"),
}
"""In the order in which they are tried."""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    folder = Path(tempfile.mkdtemp(prefix="careline-", dir="/dev/shm"))
    with running_box(folder) as running:
        running.add_account("liwei", "administrator", "en")
        running.add_account("wang", "technician", "zh")
        running.add_account("mei", "inspector", "zh")
        yield running
    shutil.rmtree(folder)


@pytest.fixture
def calling(box: Box) -> Iterator[None]:
    """Somebody calls, and stays."""
    command = [sys.executable, "-c", "from appliance.cli import main; main()", "handset", "--config", str(box.config), "--stay-s", "300"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as telephone:
        assert telephone.stdout is not None
        while b"talking" not in (line := telephone.stdout.readline()):
            assert line, "the call was not answered"
        yield
        telephone.terminate()


def test_every_command_is_tried() -> None:
    assert {command.name for command in TABLE.commands} == set(TRIED) - set(BUILT_IN)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_command(box: Box, calling: None, language: str) -> None:
    known = {"language": language, "folder": str(box.folder / f"backups-{language}")}
    (box.folder / f"backups-{language}").mkdir()
    with technician(box) as here:
        here.log_in("liwei")
        here.command(f"language {language}")
        names = {command.name: command.called(language) for command in TABLE.commands}  # type: ignore[arg-type]  # en, zh
        for name, tried in TRIED.items():
            called = (
                names.get(name) or {"help": "帮助", "history": "历史", "language": "语言"}.get(name, name) if language == "zh" else name
            )
            told = said(here, f"{called} {tried.words.format(**known)}".strip(), tried.answers)
            wanted = (tried.zh if language == "zh" else tried.en).format(**known)
            assert re.search(wanted, told, re.S), f"{called}: {told}"
            learn(name, told, known)
        here.send("退出\r" if language == "zh" else "exit\r")
        assert here.wait() == 0


def said(here: Technician, line: str, answers: tuple[str, ...]) -> str:
    """Everything the console says to a command, the questions in between answered."""
    if not answers:
        return here.command(line, limit_s=60)
    here.send(line + "\r")
    here.expect("\r\n")
    told = ""
    for answer in answers:
        told += here.expect_question()
        here.send(answer + "\r")
    return told + here.until_prompt(60)


def learn(name: str, told: str, known: dict[str, str]) -> None:
    """What later commands are about."""
    if name == "calls list" and (call := re.search(r"^(\S+) ", told.splitlines()[2])):
        known["call"] = call[1]
    if name == "backup now" and (made := re.search(r"(?:Backup|备份) (\S+) ", told)):
        known["backup"] = made[1]


def test_what_the_operating_system_was_asked_for(box: Box) -> None:
    """And nothing else: one restart of a service, one restart and one shutting down for each language."""
    asked = [line for line in box.ran("systemctl") if not line.startswith("show")]
    assert asked.count("restart careline-web.service") == asked.count("--no-block poweroff") == 2
    assert asked.count("--no-block reboot") == 2
    assert box.ran("date") == ["--utc --set=@1772937000"] * 2


def test_a_restart_waits_for_calls_and_can_be_called_off(box: Box, calling: None) -> None:
    box.forget()
    with technician(box) as here:
        here.log_in("liwei")
        here.send("reboot\r")
        here.expect_question()
        here.send("yes\r")
        here.expect("waiting for calls to end, left: 1")
        here.send(b"\x03")
        here.expect("Called off")
        here.until_prompt()
        here.send("reboot\r")
        here.expect_question()
        here.send("yes\r")
        here.expect("waiting for calls to end, left: 1")
        with technician(box) as another:
            another.log_in("liwei")
            call = another.command("calls list").splitlines()[2].split(" ")[0]
            assert "Hung up" in said(another, f"calls hangup {call}", ("yes",))
        here.expect("The box restarts", 60)
    assert [line for line in box.ran("systemctl") if "reboot" in line] == ["--no-block reboot"]


def test_the_support_bundle_holds_neither_secrets_nor_patients(box: Box) -> None:
    bundles = sorted((box.data_dir / "support").glob("*.tar.gz"))
    text = ""
    with tarfile.open(bundles[-1]) as archive:
        names = [entry.name.partition("/")[2] for entry in archive]
        for entry in archive.getmembers():
            content = archive.extractfile(entry)
            assert content is not None
            text += content.read().decode()
    assert {"about.txt", "services.json", "lines.json", "check.json", "logs/careline.log", "settings/careline.toml", "sha256.txt"} <= set(
        names
    )
    secret = re.search(r'secret = "(\w+)"', box.config.read_text())
    assert secret is not None
    for hidden in (secret[1], "13812345678", "王小明", "$argon2"):
        assert hidden not in text
    assert "call from ***, ***, patient" in text


def test_who_may_what(box: Box) -> None:
    with technician(box) as here:
        here.log_in("mei")
        here.command("language en")
        assert "no right" in here.command("channels block 3")
        assert "There are no calls" in here.command("calls")
        told = here.command("help")
        assert "calls history" in told
        assert "factory-reset" not in told


def test_commands_for_scripts(box: Box) -> None:
    def careline(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", "from appliance.cli import main; main()", *arguments, "--config", str(box.config)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert '"number":10' in careline("channels", "list", "--json").stdout
    assert careline("calls", "list").stdout == "There are no calls.\n"
    assert '"name":"liwei"' in careline("users", "--json").stdout
    assert careline("reboot").returncode == 2  # without --yes
    assert careline("channels", "block", "x").returncode == 2
    assert careline("network", "confirm").returncode == 1
    assert careline("status").returncode == 0


def test_a_session_ends_when_its_account_is_changed(box: Box) -> None:
    with technician(box) as here:
        here.log_in("wang", NEW_PASSWORD)
        command = ["users", "reset", "wang", "--config", str(box.config)]
        done = subprocess.run(
            [sys.executable, "-c", "from appliance.cli import main; main()", *command],
            input=f"{PASSWORD}\n{PASSWORD}\n",
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0
        here.send("状态\r")
        here.expect("重新登录")
        assert here.wait() == 0
