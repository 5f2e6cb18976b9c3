"""The pages in a real browser (headless Chromium), the real web process behind them, a scripted call agent behind that."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.web import prepared, screenshots
from tests.web.agent import ScriptedAgent
from tests.web.browser import chromium, complaints, free_port, sign_in, wait_for, web_process

ROWS = "document.querySelectorAll('#part-calls tbody tr').length"


@dataclass
class Desk:
    """A person before the browser."""

    driver: webdriver.Chrome
    address: str
    agent: ScriptedAgent
    now: datetime

    def open(self, path: str) -> None:
        self.driver.get(f"{self.address}{path}")

    def click(self, selector: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def wait(self, script: str) -> object:
        return wait_for(self.driver, script)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One web process and one browser for the tests below; signed in as the administrator."""
    root, now, port = tmp_path_factory.mktemp("browser"), datetime.now(UTC), free_port()
    prepared.fill(root / "day", now)
    place = prepared.make_place(root / "box", port, template=root / "day")
    with ExitStack() as stack:
        agent = ScriptedAgent(place.run_dir / "control.sock", now).start()
        stack.callback(agent.stop)
        address = stack.enter_context(web_process(place.config, port))
        driver = stack.enter_context(chromium(root / "profile"))
        sign_in(driver, address, prepared.NAMES["administrator"])
        yield Desk(driver, address, agent, now)


@pytest.fixture
def desk(box: Desk) -> Iterator[Desk]:
    """The same for every test: the prepared day live; no complaint of the browser's at the end."""
    box.agent.asked.clear()
    box.agent.show_day()
    yield box
    assert complaints(box.driver) == []


def test_dashboard_is_pushed_to(desk: Desk) -> None:
    desk.open("/dashboard")
    desk.wait(f"{ROWS} === 3")
    call = msgspec.structs.replace(prepared.live_calls(desk.now)[0], call_id="new", ani="02155558888", channel=9)
    desk.agent.do(lambda live: live.call_changed(call))
    desk.wait(f"{ROWS} === 4 && document.getElementById('channel-9').classList.contains('state-talking')")
    desk.agent.do(lambda live: live.call_changed(msgspec.structs.replace(call, digits="4711")))
    desk.wait("document.getElementById('call-new').textContent.includes('4711')")
    assert desk.driver.execute_script(f"return {ROWS}") == 4
    desk.agent.do(lambda live: live.call_gone("new"))
    desk.wait(f"{ROWS} === 3 && document.getElementById('channel-9').classList.contains('state-free')")


def test_durations_tick(desk: Desk) -> None:
    desk.open("/dashboard")
    first = desk.wait("document.querySelector('[data-since]').textContent")
    desk.wait(f"document.querySelector('[data-since]').textContent !== '{first}'")


def test_page_nobody_sees_gives_its_stream_back(desk: Desk) -> None:
    """Hidden: nothing is pushed. Seen again: the state of now, at once."""
    desk.open("/dashboard")
    desk.wait(f"{ROWS} === 3")
    _seen(desk, False)
    call = msgspec.structs.replace(prepared.live_calls(desk.now)[0], call_id="new", ani="02155558888", channel=9)
    desk.agent.do(lambda live: live.call_changed(call))
    assert desk.driver.execute_script("return document.getElementById('feed').hasAttribute('sse-connect')") is False
    _seen(desk, True)
    desk.wait(f"{ROWS} === 4")
    desk.agent.do(lambda live: live.call_gone("new"))
    desk.wait(f"{ROWS} === 3")


def _seen(desk: Desk, seen: bool) -> None:
    script = """
      Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});
      document.dispatchEvent(new Event('visibilitychange'))"""
    desk.driver.execute_script(script, not seen)


def test_agent_away_is_told_and_back_too(desk: Desk) -> None:
    desk.open("/dashboard")
    desk.wait("document.querySelector('#part-state .alert') === null")
    path, live = desk.agent._path, desk.agent.live
    desk.agent.stop()
    desk.wait("document.querySelector('#part-state .alert') !== null")
    assert desk.driver.execute_script(f"return {ROWS}") == 3
    back = ScriptedAgent(path, desk.now)
    back.live = live
    desk.agent.__dict__.update(back.start().__dict__)
    desk.wait("document.querySelector('#part-state .alert') === null")


def test_chart_is_drawn(desk: Desk) -> None:
    desk.open("/dashboard")
    desk.wait("document.querySelectorAll('#chart svg path').length > 20")


def test_blocking_asks_first(desk: Desk) -> None:
    desk.open("/channels/3")
    desk.click("form[data-confirm] button")
    desk.wait("document.getElementById('confirm').open")
    desk.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    desk.wait("!document.getElementById('confirm').open")
    assert desk.agent.asked == []
    desk.click("form[data-confirm] button")
    desk.wait("document.getElementById('confirm').open")
    desk.click("#confirm-yes")
    desk.wait("document.querySelector('.alert-success') !== null")
    assert desk.agent.asked == [("blocked", "channel 3", True, "chen")]


def test_search_while_typing(desk: Desk) -> None:
    desk.open("/calls")
    desk.driver.find_element(By.ID, "number").send_keys("01065551234")
    desk.wait("location.search.includes('01065551234') && !document.getElementById('found').textContent.includes('13800138000')")


def test_recording_plays_seeks_and_pauses(desk: Desk) -> None:
    desk.open(f"/calls/{prepared.STORY_CALL}")
    position = "Number(document.querySelector('.player').dataset.positionMs)"
    desk.wait("document.querySelector('.player-time').textContent.endsWith('0:27')")
    desk.click(".player-play")
    desk.wait(f"{position} > 300")
    desk.click(".player-play")
    desk.wait("document.querySelector('.player').dataset.playing === ''")
    desk.driver.execute_script("document.querySelector('[data-seek-ms=\"15000\"]').click()")
    desk.wait(f"{position} > 15000 && {position} < 20000")
    desk.driver.find_element(By.CSS_SELECTOR, ".player-seek").send_keys(Keys.ARROW_RIGHT)
    desk.wait(f"{position} > 19000")


def test_both_sides_are_drawn(desk: Desk) -> None:
    """Some pixels of each side's colour, in its own half."""
    desk.open(f"/calls/{prepared.STORY_CALL}")
    desk.wait("document.querySelector('.player-time').textContent.endsWith('0:27')")
    script = """
      const c = document.querySelector('.player canvas'), p = c.getContext('2d');
      const has = (top, r, g, b) => { const d = p.getImageData(0, top, c.width, c.height / 2).data; let n = 0;
        for (let i = 0; i < d.length; i += 4) if (d[i] === r && d[i+1] === g && d[i+2] === b && d[i+3] === 255) n += 1; return n; };
      const half = c.height / 2;
      return JSON.stringify([has(0, 11, 114, 133), has(half, 11, 114, 133), has(0, 112, 72, 232), has(half, 112, 72, 232)])"""
    caller_above, caller_below, box_above, box_below = json.loads(desk.driver.execute_script(script))
    assert min(caller_above, box_below) > 500
    assert max(caller_below, box_above) == 0
    assert all("willReadFrequently" in line for line in complaints(desk.driver))  # of this test's own reading


def test_message_is_heard(desk: Desk) -> None:
    desk.open("/messages/1")
    desk.wait("document.querySelector('.player-time').textContent.endsWith('0:07')")
    desk.click(".player-play")
    desk.wait("Number(document.querySelector('.player').dataset.positionMs) > 300")


def test_handset_without_virtual_card_says_so(desk: Desk) -> None:
    desk.open("/handset")
    assert "careline-lines" in desk.driver.find_element(By.TAG_NAME, "main").text
    assert desk.driver.find_elements(By.CSS_SELECTOR, "aside a[href='/handset']") == []


def test_keyboard_reaches_the_content_first(desk: Desk) -> None:
    desk.open("/calls")
    desk.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert (desk.driver.switch_to.active_element.get_attribute("href") or "").endswith("#main")


def test_every_page_in_both_languages_and_widths(tmp_path: Path) -> None:
    """The walk of `make screenshots`: nothing scrolls sideways, the browser complains of nothing."""
    assert screenshots.take_all(tmp_path) == []
    assert len(list(tmp_path.glob("*.png"))) >= 76
