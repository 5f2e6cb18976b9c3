"""Prompts on the whole box in real processes: a code from the page, read over the telephone while the call agent is killed, heard, kept,
put in use; the page shows it without a touch, and the call agent that runs then plays it."""

import os
import random
import signal
import time
from contextlib import ExitStack
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from appliance.control.client import ControlClient, ControlError
from appliance.control.handset import Handset, dial_message
from appliance.control.messages import LiveSnapshot
from appliance.ivr.prompts import kept, versions
from appliance.store.models import Audit, CallEvent
from tests.daemons import daemon
from tests.web import prepared
from tests.web.browser import chromium, complaints, free_port, wait_for, web_process
from tests.web.screenshots import make_first
from webui import store

SPOKEN = random.Random(7).randbytes(3 * 8000)
WAIT_S = 40.0


def where(place: prepared.Place) -> str:
    """The place of the one call there is; empty while nobody can say."""
    try:
        with ControlClient(place.run_dir / "control.sock") as client:
            snapshot = next(iter(client.subscribe()))
    except ControlError:
        return ""
    assert isinstance(snapshot, LiveSnapshot)
    return snapshot.calls[0].place if snapshot.calls else "none"


def reached(place: prepared.Place, wanted: str) -> None:
    until = time.monotonic() + WAIT_S
    while where(place) != wanted:
        assert time.monotonic() < until, where(place)
        time.sleep(0.1)


def test_a_prompt_is_recorded_by_telephone(tmp_path: Path) -> None:
    port = free_port()
    place = prepared.make_place(tmp_path / "box", port)
    with ExitStack() as stack:
        stack.enter_context(daemon("drivers.server", place.config, place.run_dir / "handset.sock"))
        calls = stack.enter_context(daemon("appliance.main", place.config, place.run_dir / "control.sock"))
        address = stack.enter_context(web_process(place.config, port))
        driver = stack.enter_context(chromium(tmp_path / "profile"))
        make_first(driver, address, place)
        driver.get(f"{address}/prompts/greeting")
        driver.find_element(By.CSS_SELECTOR, "form[action='/prompts/greeting/zh/record'] button").send_keys(Keys.ENTER)
        code = str(wait_for(driver, "document.querySelector('.studio-code')?.textContent")).replace(" ", "")

        with Handset(place.run_dir / "handset.sock", dial_message("01088886666", caller="13800138000")) as caller:
            caller.wait_for("talking", limit_s=30.0)
            reached(place, "main_menu")
            caller.press("8")
            reached(place, "studio/ask_code")
            caller.press(code)
            reached(place, "studio/speak")
            _wait_for_recording(place)
            caller.speak(SPOKEN)
            time.sleep(1.0)
            os.kill(calls, signal.SIGKILL)
            (place.run_dir / "control.sock").unlink(missing_ok=True)
            stack.enter_context(daemon("appliance.main", place.config, place.run_dir / "control.sock"))
            time.sleep(3.0)
            caller.press("#")
            reached(place, "studio/keep")
            caller.press("1")
            reached(place, "main_menu")
            caller.hang_up()

        wait_for(driver, "document.querySelector('#order-zh .alert-success a') !== null")
        driver.find_element(By.CSS_SELECTOR, "#order-zh .alert-success a").send_keys(Keys.ENTER)
        wait_for(driver, "location.search === '?zh=1' && document.readyState === 'complete'")
        driver.find_element(By.CSS_SELECTOR, "form[action='/prompts/greeting/zh/1/use'] button").send_keys(Keys.ENTER)
        wait_for(driver, "location.search === '' && document.readyState === 'complete'")
        assert "APP-" not in driver.find_element(By.TAG_NAME, "main").text
        _upload(driver, tmp_path)
        assert complaints(driver) == []
    store.bind(place.data_dir / "careline.db")
    with store.connection():
        (cut_off, row) = versions.versions("greeting", "zh")
        assert (row.source, row.author, row.note, row.number) == ("telephone", "chen", "13800138000", 1)
        assert SPOKEN in kept.whole(place.data_dir, row.path, row.sha256)
        assert (cut_off.source, versions.used_version("greeting", "zh")) == ("upload", 1)
        assert {"order_prompt", "add_prompt", "use_prompt"} <= {audit.action for audit in Audit.select()}


def _wait_for_recording(place: prepared.Place) -> None:
    """Until the tone is over: the recording has its event."""
    store.bind(place.data_dir / "careline.db")
    until = time.monotonic() + WAIT_S
    while True:
        with store.connection():
            if CallEvent.select().where(CallEvent.kind == "RecordingStarted", CallEvent.body.contains("-s")).exists():
                break
        assert time.monotonic() < until
        time.sleep(0.1)
    time.sleep(0.5)


def _upload(driver: webdriver.Chrome, folder: Path) -> None:
    """Through the real call agent."""
    file = folder / "own.wav"
    file.write_bytes((Path(kept.__file__).parent / "en" / "greeting.wav").read_bytes())
    driver.find_element(By.ID, "file-zh").send_keys(str(file))
    driver.find_element(By.CSS_SELECTOR, "form[action='/prompts/greeting/zh/upload'] .input-group .btn").send_keys(Keys.ENTER)
    wait_for(driver, "location.search === '?zh=2'")
