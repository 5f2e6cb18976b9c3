"""Recordings as browsers get them: 16-bit PCM, any byte range, an outline; and every file that is not as it should be."""

import struct
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from appliance.store.models import Audit, Recording, VoiceMessage
from tests.web import prepared
from tests.web.conftest import HTML, SignIn, post
from webui import store, wave
from webui.errors import WebError

SOUND = "/recordings/R7/sound.wav"
TOTAL = 44 + 2 * 2 * 27 * 8000


@pytest.fixture
def listener(sign_in: SignIn) -> FlaskClient:
    return sign_in("inspector")


@pytest.fixture(scope="module")
def stereo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sound") / "stereo.wav"
    file.write_bytes(prepared.wav(prepared.tones(0.2, 1), prepared.tones(0.2, 2)))
    return file


def whole(sound: wave.Wave) -> bytes:
    return b"".join(wave.pcm_range(sound, 0, sound.pcm_bytes))


# --- decoding ---


def test_decoded_samples_are_those_that_were_coded(tmp_path: Path) -> None:
    """Every A-law code, against the standard's decision: the error is at most half an interval of its segment."""
    samples = list(range(-32768, 32768, 37))
    file = tmp_path / "ramp.wav"
    file.write_bytes(prepared.wav(samples))
    sound = wave.open_wave(file)
    decoded = struct.unpack(f"<{len(samples)}h", whole(sound)[44:])
    for sample, heard in zip(samples, decoded, strict=True):
        assert abs(sample - heard) <= max(16, abs(sample) // 30)


def test_header_says_what_follows(stereo: Path) -> None:
    head = whole(wave.open_wave(stereo))[:44]
    assert head[:4] + head[8:16] + head[36:40] == b"RIFFWAVEfmt data"
    assert struct.unpack("<HHIIHH", head[20:36]) == (1, 2, 8000, 32000, 4, 16)
    assert struct.unpack("<I", head[40:44]) == (1600 * 4,)


@given(start=st.integers(0, 6444), length=st.integers(1, 6444))
def test_any_range_is_a_piece_of_the_whole(stereo: Path, start: int, length: int) -> None:
    sound = wave.open_wave(stereo)
    stop = min(start + length, sound.pcm_bytes)
    assert b"".join(wave.pcm_range(sound, start, stop)) == whole(sound)[start:stop]


def test_sixteen_bit_files_pass_through(tmp_path: Path) -> None:
    samples = struct.pack("<4h", 0, 1000, -1000, 32767)
    file = tmp_path / "pcm.wav"
    fmt = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    file.write_bytes(b"RIFF" + struct.pack("<I", 44) + b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", 8) + samples)
    sound = wave.open_wave(file)
    assert whole(sound)[44:] == samples
    assert list(wave.outline(sound, 4)[0]) == [0, 7, 7, 255]


def test_outline_shows_each_side(tmp_path: Path) -> None:
    loud, silent = [20000] * 800, [0] * 800
    file = tmp_path / "sides.wav"
    file.write_bytes(prepared.wav(loud + silent, silent + loud))
    left, right = wave.outline(wave.open_wave(file), 4)
    assert left[0] > 150 > 2 > left[3]
    assert right[3] > 150 > 2 > right[0]


def test_file_still_being_written(tmp_path: Path) -> None:
    """The header of a growing file promises nothing yet; what is there is served."""
    file = tmp_path / "growing.wav"
    sound = bytearray(prepared.wav([1000] * 800))
    sound[40:44] = b"\xff\xff\xff\xff"
    file.write_bytes(sound)
    assert wave.open_wave(file).samples == 800
    file.write_bytes(sound + bytes(80))
    assert wave.open_wave(file).samples == 880


def test_file_cut_short_keeps_promised_length(tmp_path: Path) -> None:
    file = tmp_path / "cut.wav"
    file.write_bytes(prepared.wav([1000] * 800))
    sound = wave.open_wave(file)
    file.write_bytes(file.read_bytes()[:400])
    assert len(whole(sound)) == sound.pcm_bytes


BROKEN = (b"", b"RIFF", b"not a wave file at all, but long enough", prepared.wav([0])[:30], b"RIFF\0\0\0\0WAVE" + bytes(64))


@pytest.mark.parametrize("content", BROKEN)
def test_broken_files_are_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.wav"
    file.write_bytes(content)
    with pytest.raises(WebError, match=r"WEB-007.*broken\.wav"):
        wave.open_wave(file)


# --- over HTTP ---


def test_whole_file(listener: FlaskClient) -> None:
    answer = listener.get(SOUND)
    assert (answer.status_code, answer.content_length, answer.mimetype) == (200, TOTAL, "audio/wav")
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert len(answer.data) == TOTAL


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=0-", 0, TOTAL), ("bytes=0-1", 0, 2), ("bytes=40-50", 40, 51), ("bytes=1001-", 1001, TOTAL), ("bytes=-9", TOTAL - 9, TOTAL)],
)
def test_ranges(listener: FlaskClient, asked: str, start: int, stop: int) -> None:
    all_of_it = listener.get(SOUND).data
    answer = listener.get(SOUND, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{TOTAL}"
    assert answer.data == all_of_it[start:stop]


def test_range_outside(listener: FlaskClient) -> None:
    answer = listener.get(SOUND, headers={"Range": f"bytes={TOTAL}-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{TOTAL}"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-9", "lines=1-2", "nonsense"])
def test_ranges_we_do_not_serve_give_the_whole(listener: FlaskClient, asked: str) -> None:
    assert listener.get(SOUND, headers={"Range": asked}).status_code == 200


def test_changed_file_is_not_pieced_together(listener: FlaskClient) -> None:
    tag = listener.get(SOUND).headers["ETag"]
    assert listener.get(SOUND, headers={"Range": "bytes=0-9", "If-Range": tag}).status_code == 206
    assert listener.get(SOUND, headers={"Range": "bytes=0-9", "If-Range": '"old"'}).status_code == 200


def test_listening_is_audited_once(app: Flask, listener: FlaskClient) -> None:
    for _ in range(5):
        listener.get(SOUND, headers={"Range": "bytes=1000-1100"})
    with store.connection():
        lines = list(Audit.select().where(Audit.action == "listened", Audit.subject == f"call {prepared.STORY_CALL}"))
    assert len(lines) == 2  # one of the prepared day, one now


def test_download_is_audited_and_named(app: Flask, sign_in: SignIn) -> None:
    answer = sign_in("administrator").get("/recordings/R7/download")
    assert "careline call 2026-03-08 10-05-03 13800138000.wav" in answer.headers["Content-Disposition"]
    assert len(answer.data) == TOTAL
    with store.connection():
        assert Audit.select().order_by(Audit.id.desc()).first().action == "downloaded"


@pytest.mark.parametrize("path", ["../../careline.toml", "/etc/passwd", "../careline.db"])
def test_no_way_out_of_the_recordings(app: Flask, listener: FlaskClient, path: str) -> None:
    with store.connection():
        Recording.update(path=path).execute()
    answer = listener.get(SOUND, headers=HTML)
    assert answer.status_code == 503
    assert "WEB-007" in answer.text


def test_message_is_marked_heard_and_new_again(app: Flask, listener: FlaskClient) -> None:
    assert listener.get("/messages/1/sound.wav").status_code == 200
    post(listener, "/messages/1/heard", {"heard": "1"})
    with store.connection():
        assert VoiceMessage.get_by_id(1).heard_by == "wang"
    assert "700123" not in listener.get("/messages?only=new", headers=HTML).text
    post(listener, "/messages/1/heard", {"heard": "0"})
    assert "700123" in listener.get("/messages?only=new", headers=HTML).text
