"""The modem in software and the codec against programs that are not ours: gammu and smstools, Chinese in parts both ways."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from drivers.modem import pdu
from drivers.modem.body import bodies, joined
from drivers.modem.pdu import Deliver
from tests.modem_sim import ModemSim
from tests.sms_network import sent_back, taken_apart

TEXT = "您预约的3月9日08:00内科已改到10:00，请提前15分钟到门诊一楼取号。如需取消请回复N。" * 3 + "祝您健康😀"
LIMIT_S = 90.0


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[ModemSim]:
    made = ModemSim()
    made.link_at(tmp_path / "modem")
    yield made
    made.close()


def ours_read(sim: ModemSim) -> str:
    """What our codec makes of all that was handed over."""
    parts = [pdu.read(sent_back(submitted)) for submitted in sim.sent]
    return joined([part.text for part in parts if isinstance(part, Deliver)])


def arrive_in_parts(sim: ModemSim) -> None:
    """A text of ours, as the network brings it."""
    for part in bodies(TEXT, 77):
        sim.arrive(sent_back(taken_apart(pdu.submit("+8613800138000", part).hex, 1)))


def gammu(folder: Path, *words: str, given: str = "") -> str:
    settings = folder / "gammurc"
    settings.write_text(f"[gammu]\ndevice = {folder}/modem\nconnection = at115200\ngammucoding = utf8\n")
    command = ["gammu", "-c", str(settings), *words]
    surroundings = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, input=given, env=surroundings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_gammu_sends_chinese_in_parts_and_ours_reads_it(sim: ModemSim, tmp_path: Path) -> None:
    gammu(tmp_path, "sendsms", "TEXT", "13800138000", "-unicode", "-len", "400", "-report", given=TEXT)
    assert len(sim.sent) == len(bodies(TEXT, 0))
    assert all(submitted.report for submitted in sim.sent)
    assert ours_read(sim).rstrip("\n") == TEXT


def test_ours_in_parts_is_one_message_to_gammu(sim: ModemSim, tmp_path: Path) -> None:
    arrive_in_parts(sim)
    told = gammu(tmp_path, "geteachsms")
    assert TEXT in told.replace("\n", "")
    assert "1 SMS sequence" in told


SMSD = """
devices = GSM1
outgoing = {folder}/outgoing
incoming = {folder}/incoming
sent = {folder}/sent
failed = {folder}/failed
checked = {folder}/checked
stats = {folder}
logfile = {folder}/smsd.log
pidfile = {folder}/smsd.pid
infofile = {folder}/smsd.info
delaytime = 1
receive_before_send = no
autosplit = 3
[GSM1]
device = {folder}/modem
init = AT
incoming = yes
report = yes
decode_unicode_text = no
memory_start = 1
"""


def run_smsd(folder: Path, done: "list[Path]") -> None:
    """smstools' daemon, until there is something in each of these folders."""
    (folder / "smsd.conf").write_text(SMSD.format(folder=folder))
    process = subprocess.Popen(["/usr/sbin/smsd", "-t", f"-c{folder}/smsd.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ends_s = monotonic() + LIMIT_S
    try:
        while not all(any(each.iterdir()) for each in done):
            log = folder / "smsd.log"
            assert monotonic() < ends_s, log.read_text() if log.exists() else "it said nothing"
            sleep(0.2)
        sleep(0.5)
    finally:
        process.terminate()
        process.wait(LIMIT_S)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    for name in ("outgoing", "incoming", "sent", "failed", "checked"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_smstools_sends_chinese_in_parts_and_takes_ours(sim: ModemSim, spool: Path) -> None:
    arrive_in_parts(sim)
    head = b"To: 8613800138000\nAlphabet: UCS2\n\n"
    (spool / "outgoing" / "one").write_bytes(head + TEXT.encode("utf-16-be"))
    run_smsd(spool, [spool / "sent", spool / "incoming"])
    assert ours_read(sim) == TEXT
    came = [each.read_bytes().partition(b"\n\n") for each in (spool / "incoming").iterdir()]
    assert [text.decode("utf-16-be") for head, _, text in came if b"Alphabet: UCS2" in head] == [TEXT], came
