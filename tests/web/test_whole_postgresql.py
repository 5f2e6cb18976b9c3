"""The whole box in three processes with its store on a PostgreSQL server that goes away during a call: the call goes on, the pages say so,
nothing is lost, and the password is nowhere.
"""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from appliance.control.handset import Handset, dial_message
from appliance.store.database import connect
from appliance.store.models import CallRecord, Recording
from appliance.store.place import Server
from drivers.protocol import HandsetAudio
from tests.postgresql import TestServer
from tests.web.daemons import whole_box

PASSWORD = "Reiher-im-Schilf"
LIMIT_S = 60.0


def page(address: str) -> tuple[int, str]:
    request = urllib.request.Request(address, headers={"Accept": "text/html", "Accept-Language": "en"})
    try:
        with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def heard_for(caller: Handset, limit_s: float) -> int:
    """Samples of what the caller hears meanwhile that are not silence."""
    until, heard = time.monotonic() + limit_s, 0
    for message in caller.messages():
        if isinstance(message, HandsetAudio):
            heard += len(message.samples) - message.samples.count(0xD5) - message.samples.count(0x55)
        if time.monotonic() > until:
            break
    return heard


def ended(place: Server) -> bool:
    store = connect(place)
    with store.bind_ctx([CallRecord, Recording]):
        found = CallRecord.select().where(CallRecord.ended_at.is_null(False)).count() == 1
        found = found and Recording.select().where(Recording.ended_at.is_null(False)).exists()
    store.close()
    return found


def test_the_server_goes_away_during_a_call(postgresql: TestServer, tmp_path: Path) -> None:
    with postgresql.own_store() as own:
        place = Server(own.url.replace("careline@", f"careline:{PASSWORD}@"))
        with whole_box(tmp_path / "box", store_place=place) as (box, address):
            assert page(f"{address}/setup")[0] == 200
            with Handset(box.run_dir / "handset.sock", dial_message("01088886666", caller="13800138000", stream=True)) as caller:
                caller.wait_for("talking", limit_s=30.0)
                postgresql.stop("immediate")
                shown = page(f"{address}/setup")
                heard = heard_for(caller, 2.0)
                caller.hang_up()
            postgresql.start()
            wait_until(lambda: ended(own))
            assert page(f"{address}/setup")[0] == 200
        status, text = shown
        assert (status, "STO-007" in text, heard > 8_000) == (503, True, True)
        assert not (box.data_dir / "careline.db").exists()
        logs = [path.read_text() for path in (tmp_path / "box").glob("*.log")]
    assert any("STO-007" in log for log in logs)
    assert [text for text in (*logs, text) if PASSWORD in text or (str(own) in text and text is shown[1])] == []
