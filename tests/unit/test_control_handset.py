"""The blocking client of the handset socket, against a scripted server at the wire."""

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from appliance.control.handset import SPEAK_SAMPLES, Handset, dial_message, speak_messages
from drivers.errors import LineError
from drivers.protocol import (
    AnyHandsetRequest,
    FrameReader,
    HandsetAudio,
    HandsetDial,
    HandsetHangUp,
    HandsetKeys,
    HandsetKeysSent,
    HandsetPickUp,
    HandsetSpeak,
    HandsetState,
    Refused,
    encode,
)

LIMIT_S = 10.0


class ScriptedServer:
    """Answers the first message with `replies`, then reads until the client is gone."""

    def __init__(self, path: Path, replies: Sequence[msgspec.Struct], closes: bool) -> None:
        self.received: list[object] = []
        self._replies, self._closes = replies, closes
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(LIMIT_S)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def finish(self) -> None:
        self._thread.join(LIMIT_S)
        self._listener.close()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(LIMIT_S)
        frames = FrameReader(AnyHandsetRequest)
        with contextlib.closing(connection):
            while received := connection.recv(65536):
                first = not self.received
                self.received += frames.feed(received)
                if first and self._replies:
                    connection.sendall(b"".join(encode(reply) for reply in self._replies))
                if self._closes:
                    return


@contextlib.contextmanager
def talking_to(tmp_path: Path, *replies: msgspec.Struct, closes: bool = False) -> Iterator[tuple[Handset, ScriptedServer]]:
    path = tmp_path / "handset.sock"
    server = ScriptedServer(path, replies, closes)
    try:
        with Handset(path, dial_message("1")) as handset:
            yield handset, server
    finally:
        server.finish()


def test_states_in_order(tmp_path: Path) -> None:
    replies = [HandsetState(state=state) for state in ("dialling", "ringing", "talking")]
    with talking_to(tmp_path, *replies, closes=True) as (handset, _):
        assert list(handset.messages(LIMIT_S)) == replies


def test_waiting_for_a_state_skips_the_rest(tmp_path: Path) -> None:
    replies = (HandsetState(state="ringing"), HandsetAudio(samples=b"x"), HandsetKeysSent(), HandsetState(state="busy", detail="busy"))
    with talking_to(tmp_path, *replies) as (handset, _):
        assert handset.wait_for("talking", "busy", limit_s=LIMIT_S).detail == "busy"


def test_everything_that_can_be_sent(tmp_path: Path) -> None:
    with talking_to(tmp_path) as (handset, server):
        handset.press("12w#", 50, 60)
        handset.speak(b"\xd5" * 10)
        handset.send_audio(b"\xd5" * 160)
        handset.pick_up()
        handset.hang_up()
    assert server.received == [
        HandsetDial(version=1, number="1"),
        HandsetKeys(keys="12w#", on_ms=50, off_ms=60),
        HandsetSpeak(samples=b"\xd5" * 10),
        HandsetAudio(samples=b"\xd5" * 160),
        HandsetPickUp(),
        HandsetHangUp(),
    ]


def test_refusal_is_an_error_with_the_servers_code(tmp_path: Path) -> None:
    refused = Refused(code="LIN-073", what="all telephones are in use", remedy="Hang one up")
    with talking_to(tmp_path, refused) as (handset, _), pytest.raises(LineError, match=r"LIN-073: all telephones.*Hang one up"):
        next(handset.messages(LIMIT_S))


def test_server_that_goes_away_while_a_state_is_awaited(tmp_path: Path) -> None:
    with talking_to(tmp_path, closes=True) as (handset, _), pytest.raises(LineError, match="LIN-080"):
        handset.wait_for("talking", limit_s=LIMIT_S)


def test_silence_has_a_limit(tmp_path: Path) -> None:
    with talking_to(tmp_path) as (handset, _), pytest.raises(LineError, match="LIN-081"):
        handset.wait_for("talking", limit_s=0.01)


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(LineError, match=r"LIN-080.*handset\.sock.*Start careline-lines"):
        Handset(tmp_path / "handset.sock", dial_message("1"))


@pytest.mark.parametrize(
    ("samples", "pieces"),
    [(0, []), (1, [1]), (SPEAK_SAMPLES, [SPEAK_SAMPLES]), (SPEAK_SAMPLES + 1, [SPEAK_SAMPLES, 1])],
)
def test_speech_in_pieces_that_fit_a_message(samples: int, pieces: list[int]) -> None:
    assert [len(message.samples) for message in speak_messages(b"\xd5" * samples)] == pieces
