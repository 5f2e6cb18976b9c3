"""The `careline` command as a person meets it: what it prints, its exit status, and what it refuses."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import wave
from array import array
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.cli import COMMANDS, careline
from appliance.cli.demo import check_port, read_config, set_page, tell, write_config
from appliance.cli.doctor import terminal_language
from appliance.cli.handset import Call, Step, first_number, steps
from appliance.cli.pidfile import PidFile
from appliance.cli.sound import encode, read_speech, write_heard
from appliance.config import Destination, load
from appliance.control.handset import SPEAK_SAMPLES, Handset, dial_message
from appliance.errors import StartError
from appliance.ivr.prompts.wav import unwrap
from drivers import config as lines_config
from drivers.errors import LineError
from drivers.protocol import HandsetState
from drivers.protocol import encode as encode_frame
from drivers.virtual.config import Answering

LIMIT_S = 60


def run(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from appliance.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False, env=os.environ | environ)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_explains_itself(name: str) -> None:
    listed = CliRunner().invoke(careline, ["--help"])
    assert f"\n  {name} " in listed.output
    if name != "bench":  # its options are its own
        assert CliRunner().invoke(careline, [name, "--help"]).exit_code == 0


def test_an_error_is_one_line_with_a_remedy_and_no_traceback(tmp_path: Path) -> None:
    done = run("check", "--config", tmp_path / "none.toml")
    assert done.returncode == 1
    assert "CFG-001" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_key_is_named_with_what_is_allowed(tmp_path: Path) -> None:
    config = tmp_path / "careline.toml"
    config.write_text("[calls]\natempts = 2\n")
    done = run("calls", "--config", config)
    assert done.returncode == 1
    assert "calls.atempts" in done.stderr
    assert "Did you mean `attempts`?" in done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[web]\nhost = "300.0.0.1"\n', ("CFG-016", "300.0.0.1")),
        (f'[paths]\nrun_dir = "/{"long/" * 30}"\n', ("CFG-005", "run_dir", "107")),
    ],
)
def test_check_finds_what_would_keep_a_process_from_listening(text: str, says: tuple[str, ...], tmp_path: Path) -> None:
    config = tmp_path / "careline.toml"
    config.write_text(text)
    done = run("check", "--config", config)
    assert done.returncode == 1
    for word in says:
        assert word in done.stderr


def test_the_doctor_ends_with_1_when_something_failed(tmp_path: Path) -> None:
    done = run("doctor", "--config", tmp_path / "none.toml", "--lang", "zh")
    assert done.returncode == 1
    assert "处故障" in done.stdout


@pytest.mark.parametrize(
    ("environ", "lang"),
    [({"LANG": "zh_CN.UTF-8"}, "zh"), ({"LANG": "C"}, "en"), ({"LC_ALL": "en_GB", "LANG": "zh_CN"}, "en"), ({}, "en")],
)
def test_the_language_is_the_terminals(environ: dict[str, str], lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(key, raising=False)
    for key, value in environ.items():
        monkeypatch.setenv(key, value)
    assert terminal_language() == lang


# --- pid file ----------------------------------------------------------------------------------------------------


def test_a_second_process_is_told_who_has_the_pid_file(tmp_path: Path) -> None:
    with (
        PidFile(tmp_path / "lines.pid", "careline lines"),
        pytest.raises(StartError, match=f"APP-040: careline lines runs already, as process {os.getpid()}"),
    ):
        PidFile(tmp_path / "lines.pid", "careline lines")


def test_a_pid_file_of_a_killed_process_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "lines.pid"
    holder = f"from appliance.cli.pidfile import PidFile; from pathlib import Path; import time\nwith PidFile(Path({str(path)!r}), 'x'):"
    process = subprocess.Popen([sys.executable, "-c", holder + " print(1, flush=True); time.sleep(60)"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.wait(LIMIT_S)
    process.stdout.close()
    assert path.exists()
    with PidFile(path, "x"):
        assert path.read_text() == f"{os.getpid()}\n"
    assert not path.exists()


def test_the_lock_passes_through_fork_and_exec(tmp_path: Path) -> None:
    path = tmp_path / "lines.pid"
    program = f"""
import os, sys
from pathlib import Path
from appliance.cli.serve import _go_behind
from appliance.cli.pidfile import PidFile
after = "import signal; print('up', flush=True); signal.pause()"
_go_behind([sys.executable, "-c", after], PidFile(Path({str(path)!r}), "careline lines"), Path({str(tmp_path / "lines.log")!r}))
"""
    subprocess.run([sys.executable, "-c", program], timeout=LIMIT_S, check=True)
    pid = _daemon_pid(path, tmp_path / "lines.log")
    try:
        with pytest.raises(StartError, match=f"as process {pid}"):
            PidFile(path, "careline lines")
    finally:
        os.kill(pid, signal.SIGTERM)


def _daemon_pid(path: Path, log: Path) -> int:
    """The process behind the pid file, once it has said that it is up."""
    for _ in range(LIMIT_S * 50):
        if log.exists() and "up" in log.read_text():
            return int(path.read_text())
        time.sleep(0.02)
    raise AssertionError(log.read_text())


# --- handset -----------------------------------------------------------------------------------------------------


def test_speech_comes_after_the_keys_or_where_it_is_asked_for() -> None:
    assert steps("ww3", b"x") == [Step("ww3"), Step(speech=b"x")]
    assert steps("3sw#", b"x") == [Step("3"), Step(speech=b"x"), Step("w#")]
    assert steps("12", b"") == [Step("12")]
    assert steps("", b"") == []


def test_long_keys_and_speech_are_cut_into_pieces_that_fit() -> None:
    plan = steps("1" * 100, b"x" * (SPEAK_SAMPLES + 1))
    assert [len(step.keys) for step in plan] == [64, 36, 0, 0]
    assert [len(step.speech) for step in plan] == [0, 0, SPEAK_SAMPLES, 1]


def test_a_key_no_telephone_has_is_refused() -> None:
    with pytest.raises(StartError, match="APP-046"):
        steps("12x", b"")
    with pytest.raises(StartError, match=r"APP-046.*--say"):
        steps("1s", b"")


def test_the_number_is_the_boxs_first() -> None:
    assert first_number({"virtual": {"numbers": [{"number": "96120"}]}}) == "96120"
    with pytest.raises(StartError, match="APP-047"):
        first_number({})


@pytest.mark.parametrize("stay_s", ["nan", "inf", "-1", "1e9"])
def test_handset_stays_for_a_time_that_ends(stay_s: str) -> None:
    done = run("handset", "--number", "96120", "--stay-s", stay_s)
    assert done.returncode == 2
    assert "--stay-s" in done.stderr


def test_no_line_server_is_a_clear_error(tmp_path: Path) -> None:
    done = run("handset", "--number", "96120", "--socket", tmp_path / "none.sock")
    assert done.returncode == 1
    assert "LIN-080" in done.stderr


def test_a_file_that_cannot_be_written_is_told_before_the_call(tmp_path: Path) -> None:
    done = run("handset", "--number", "96120", "--socket", tmp_path / "none.sock", "--record", tmp_path / "none/heard.wav")
    assert done.returncode == 1
    assert "APP-045" in done.stderr


def test_a_line_server_that_goes_away_is_told(tmp_path: Path) -> None:
    def answer_and_go() -> None:
        connection, _ = server.accept()
        connection.recv(4096)
        connection.sendall(encode_frame(HandsetState(state="talking", detail="")))
        connection.close()

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "h.sock"))
        server.listen()
        answering = threading.Thread(target=answer_and_go)
        answering.start()
        with Handset(tmp_path / "h.sock", dial_message("1")) as telephone:
            call = Call(telephone, [], 10.0)
            with pytest.raises(LineError, match="went away"):
                call.run()
        answering.join(LIMIT_S)


def pcm(path: Path, rate_hz: int = 8000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(b"\x00\x10" * 800)
    return path


def test_speech_of_16_bits_becomes_a_law(tmp_path: Path) -> None:
    # 4096 of 16 bits is 512 of 13: first step of segment 5. Source: ITU-T G.711, table 1a.
    assert read_speech(pcm(tmp_path / "say.wav")) == bytes([0x50 ^ 0xD5]) * 800


def test_a_decoder_that_is_not_ours_gets_the_samples_back() -> None:
    samples = array("h", range(-32768, 32768, 37))
    sox = ["sox", "-t", "al", "-r", "8000", "-c", "1", "-", "-t", "raw", "-e", "signed", "-b", "16", "-"]
    theirs = array("h", subprocess.run(sox, input=encode(samples), capture_output=True, timeout=LIMIT_S, check=True).stdout)
    assert len(theirs) == len(samples)
    # Half a step: 8 in the first two segments, then a 32nd of the level. Source: ITU-T G.711, table 1a.
    assert all(abs(got - sent) <= max(8, abs(sent) / 32) for got, sent in zip(theirs, samples, strict=True))


def test_what_was_heard_is_a_file_that_can_be_said_again(tmp_path: Path) -> None:
    write_heard(tmp_path / "heard.wav", b"\x55" * 321)
    assert unwrap(tmp_path / "heard.wav") == b"\x55" * 321 + b"\xd5"
    assert len(read_speech(tmp_path / "heard.wav")) == 322


def test_sound_of_another_kind_says_how_to_convert_it(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"16 bits at 44100 Hz.*sox"):
        read_speech(pcm(tmp_path / "cd.wav", 44100))
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(StartError, match="APP-044"):
        read_speech(tmp_path / "text.wav")


# --- demo --------------------------------------------------------------------------------------------------------


def test_the_demos_configuration_is_good_for_the_call_agent(tmp_path: Path) -> None:
    config = load(write_config(tmp_path, "127.0.0.1", 8099))
    assert config.web["port"] == 8099
    assert first_number(config.lines) == "96120"


def test_the_demos_configuration_is_kept_with_what_was_added_to_it(tmp_path: Path) -> None:
    path = write_config(tmp_path, "127.0.0.1", 8099)
    added = '\n[[web.kiosks]]\nname = "second"\nsecret = "123456789012"\n'
    path.write_text(before := path.read_text() + added)
    assert write_config(tmp_path).read_text() == before
    set_page(path, "port", 8100)
    set_page(path, "host", "0.0.0.0")
    assert path.read_text() == before.replace("8099", "8100").replace("127.0.0.1", "0.0.0.0")
    pages = read_config(path).pages
    assert (pages.host, pages.port, [kiosk["name"] for kiosk in pages.kiosks]) == ("0.0.0.0", 8100, ["hall", "second"])
    write_config(tmp_path, fresh=True)
    assert read_config(path).pages.kiosks[1:] == ()
    assert "second" in (tmp_path / "careline.toml.old").read_text()


@pytest.mark.parametrize("text", ["[web", "[wep]\n", "[web]\nport = 'x'\n", "[paths]\nrun_dirs = 'x'\n"])
def test_a_demos_configuration_that_cannot_be_used_stays_and_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "careline.toml"
    path.write_text(text)
    done = run("demo", "--port", "18999", "--state", tmp_path)
    assert done.returncode == 1
    assert "APP-121" in done.stderr
    assert "--fresh" in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_text() == text


def test_a_demo_whose_pages_stand_elsewhere_is_told_to_write_the_port_itself(tmp_path: Path) -> None:
    path = tmp_path / "careline.toml"
    path.write_text("[web]\n")
    with pytest.raises(StartError, match=r"APP-121: .*port = 8100"):
        set_page(path, "port", 8100)


def test_both_sets_of_the_demo_answer_by_themselves_within_the_ringing_of_key_0(tmp_path: Path) -> None:
    read = lines_config.load(write_config(tmp_path))
    named = {each.channel: each for each in read.lines.virtual.sets}
    assert set(named) == {9, 10}
    assert all(each.answering is Answering.ANSWER and 5000 < each.after_ms < Destination().ring_ms for each in named.values())


def test_a_taken_port_is_told_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"APP-049: {port} is taken by another program"):
            check_port("127.0.0.1", port)


def test_a_state_folder_with_a_long_name_is_refused(tmp_path: Path) -> None:
    done = run("demo", "--port", "18999", "--state", tmp_path / ("x" * 100))
    assert done.returncode == 1
    assert "APP-048" in done.stderr


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("demo", "--port", "18999", "--state", tmp_path / "file/state")
    assert done.returncode == 1
    assert "APP-048" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_good_configuration_passes_every_owner(tmp_path: Path) -> None:
    done = run("check", "--config", write_config(tmp_path, "127.0.0.1", 8099))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("✓") == 3


@pytest.mark.parametrize("line", ["[lines]\ncrad = 'virtual'", "[web]\nprot = 80", "[calls]\nattempts = 'three'"])
def test_what_is_wrong_in_any_section_is_found_by_its_owner(tmp_path: Path, line: str) -> None:
    config = tmp_path / "careline.toml"
    config.write_text(line)
    done = run("check", "--config", config)
    assert done.returncode == 1
    assert line.split("\n")[1].split(" ")[0] in done.stdout + done.stderr


def test_the_demos_words_name_the_set_up_code_only_while_there_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_config(tmp_path)
    code = tmp_path / "data/setup-code"
    code.parent.mkdir()
    code.write_text("abcd-efgh\n")
    tell(tmp_path, config, read_config(config))
    assert "abcd-efgh " in capsys.readouterr().out
    code.unlink()
    tell(tmp_path, config, read_config(config))
    told = capsys.readouterr().out
    assert "http://127.0.0.1:8080/" in told
    assert not any(word in told for word in ("Set-up", "设置码", "{"))
