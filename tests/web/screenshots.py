"""Pictures of every page, in both languages, wide and narrow: `python -m tests.web.screenshots FOLDER` (= make screenshots).

Runs the real web process on the prepared day and a scripted call agent, so the pages are those of a busy hospital.
"""

import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By

from appliance.control.messages import LiveSetup
from appliance.hospital.complaints.number import number_of
from appliance.store.booking_tables import DayEnd
from appliance.store.place import place_of
from appliance.store.transaction import write_transaction
from tests.web import form_steps, prepared
from tests.web.agent import ScriptedAgent
from tests.web.browser import chromium, click, complaints, free_port, pick, sign_in, wait_for, web_process
from tests.web.prepared_hospital import COMPLAINT_KEY
from webui import store
from webui.settings import load_config

WIDTHS = (1280, 390)
COMPLAINT = number_of(COMPLAINT_KEY)
LANGUAGES = ("zh", "en")
PAGES = {
    "dashboard": "/dashboard",
    "calls": "/calls",
    "calls-none": "/calls?number=99999",
    "call": f"/calls/{prepared.STORY_CALL}",
    "call-live": f"/calls/{prepared.LIVE_CALL}",
    "lines": "/lines",
    "line-setup": "/lines/setup",
    "channel": "/channels/1",
    "channel-test": "/channels/22",
    "channel-tested": "/channels/3",
    "channel-blocked": "/channels/5",
    "messages": "/messages",
    "message": "/messages/1",
    "health": "/health",
    "music": "/music",
    "cards": "/cards",
    "prompts": "/prompts",
    "prompt": "/prompts/greeting",
    "prompt-new": "/prompts/new",
    "handset": "/handset",
    "accounts": "/accounts",
    "audit": "/audit",
    "me": "/me",
    "missing": "/no-such-page",
}
STAFF_PAGES = {
    "patients": "/patients?q=13800138000",
    "patient": "/patients/1",
    "patient-edit": "/patients/1/edit",
    "desk": "/desk",
    "bookings": "/bookings?q=李娜",
    "money": "/money?q=13800138000",
    "money-card": "/money/cards/1",
    "corrections": "/money/corrections",
    "bank": "/money/bank",
    "closing": "/money/closing",
    "hospital": "/hospital/doctors",
    "hospital-notices": "/hospital/notices",
    "hospital-edit": "/hospital/doctors/1",
    "clinics": "/clinics",
    "clinic": "/clinics/5",
    "clinic-new": "/clinics/new",
    "import": "/hospital/import",
    "rules": "/rules",
    "complaints": "/complaints",
    "complaint": f"/complaints/{COMPLAINT}",
    "complaint-new": "/complaints/new",
    "work": "/work",
    "desks": "/work/desks",
    "scratch-cards": "/money/scratch-cards",
    "scratch-batch": "/money/scratch-cards/1",
    "day-ends": "/money/day-ends",
    "day-end": "/money/day-ends/2026-03-01",
    "bans": "/bans",
    "patient-bans": "/patients/2/bans",
    "waitlists": "/waitlist",
    "waitlist": "/waitlist/10",
    "prices": "/prices",
    "price-request": "/prices/1",
    "hospital-drugs": "/hospital/drugs",
    "hospital-drug": "/hospital/drugs/1",
}


def take_all(folder: Path) -> list[str]:
    """All pictures into `folder`; returns what the browser complained of."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        return [*_inside(Path(scratch) / "day", folder), *_outside(Path(scratch) / "new", folder)]


def _inside(root: Path, folder: Path) -> list[str]:
    now, port = datetime.now(UTC), free_port()
    prepared.fill(root / "template", now)
    place = prepared.make_place(root / "box", port, template=root / "template")
    (place.run_dir / "handset.sock").touch()
    _fill_office(place, now)
    with ExitStack() as stack:
        agent = ScriptedAgent(place.run_dir / "control.sock", now).start()
        stack.callback(agent.stop)
        agent.show_day(troubled=True)
        address = stack.enter_context(web_process(place.config, port))
        driver = stack.enter_context(chromium(root / "profile"))
        sign_in(driver, address, prepared.NAMES["administrator"])
        pages = PAGES | STAFF_PAGES
        return [*_walk(driver, address, pages, folder), *_set_up(driver, address, agent, folder)]


def _fill_office(place: prepared.Place, now: datetime) -> None:
    """Rows of the back office, as the test of every form has them."""
    opened = store.bind(place_of(load_config(place.config).paths))
    with store.connection(), write_transaction(opened):
        form_steps.fill_tables(now)
        DayEnd.create(day=date(2026, 3, 1), begun_at=now, ended_at=now, no_shows=0, refunded_fen=0)


def _set_up(driver: webdriver.Chrome, address: str, agent: ScriptedAgent, folder: Path) -> list[str]:
    """A set-up of the lines that was checked, and one that is being tried."""
    found = []
    for language in LANGUAGES:
        for width in WIDTHS:
            _show(driver, address, "/lines/setup", width, language)
            pick(driver, "port-2", "fxsls")
            driver.execute_script("document.querySelector('form[action=\"/lines/setup/check\"]').requestSubmit()")
            wait_for(driver, "document.getElementById('apply') !== null")
            _picture(driver, folder / f"line-setup-check-{language}-{width}.png", width)
            found += [f"line-setup-check {language} {width}: {line}" for line in (*complaints(driver), *too_wide(driver))]
            click(driver, "apply")
            wait_for(driver, "location.pathname === '/lines' && document.querySelector('[data-until]') !== null")
            _picture(driver, folder / f"lines-trying-{language}-{width}.png", width)
            found += [f"lines-trying {language} {width}: {line}" for line in (*complaints(driver), *too_wide(driver))]
            agent.do(lambda live: live.setup_changed(LiveSetup()))
    return found


def _outside(root: Path, folder: Path) -> list[str]:
    """The pages before the first account, and of a box where nothing has happened yet and the call agent is away."""
    port = free_port()
    place = prepared.make_place(root, port, empty=True)
    with ExitStack() as stack:
        address = stack.enter_context(web_process(place.config, port))
        driver = stack.enter_context(chromium(root / "profile"))
        found = _walk(driver, address, {"setup": "/setup"}, folder)
        make_first(driver, address, place)
        found += _walk(driver, address, {"empty-dashboard": "/dashboard", "empty-calls": "/calls", "empty-health": "/health"}, folder)
        driver.delete_all_cookies()
        return found + _walk(driver, address, {"sign-in": "/sign-in"}, folder)


def make_first(driver: webdriver.Chrome, address: str, place: prepared.Place) -> None:
    """The first administrator, through the set-up page; ends on the dashboard."""
    driver.get(f"{address}/setup")
    typed = {"code": (place.data_dir / "setup-code").read_text(), "name": "chen", "password": prepared.PASSWORD, "again": prepared.PASSWORD}
    for name, value in typed.items():
        driver.find_element(By.NAME, name).send_keys(value)
    driver.find_element(By.CSS_SELECTOR, "main form button").click()
    wait_for(driver, "location.pathname === '/dashboard'")


def _walk(driver: webdriver.Chrome, address: str, pages: dict[str, str], folder: Path) -> list[str]:
    found = []
    for language in LANGUAGES:
        for width in WIDTHS:
            for name, path in pages.items():
                _show(driver, address, path, width, language)
                _picture(driver, folder / f"{name}-{language}-{width}.png", width)
                found += [f"{name} {language} {width}: {line}" for line in complaints(driver) if "/no-such-page" not in line]
                found += [f"{name} {language} {width}: {line}" for line in too_wide(driver)]
    return found


def _show(driver: webdriver.Chrome, address: str, path: str, width: int, language: str) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(f"{address}{path}")
    if driver.execute_script("return document.documentElement.lang.slice(0, 2)") != language:
        driver.execute_script(f"document.querySelector('form.language button[value={language}]').click()")
        wait_for(driver, f"document.readyState === 'complete' && document.documentElement.lang.slice(0, 2) === '{language}'")
        driver.get(f"{address}{path}")
    time.sleep(0.35)


def _picture(driver: webdriver.Chrome, file: Path, width: int) -> None:
    height = driver.execute_script("return Math.min(4000, Math.max(900, document.documentElement.scrollHeight))")
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    time.sleep(0.15)
    driver.save_screenshot(str(file))


def too_wide(driver: webdriver.Chrome) -> list[str]:
    """A page that scrolls sideways."""
    over = driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{over} pixels too wide"] if over > 0 else []


if __name__ == "__main__":
    complained = take_all(Path(sys.argv[1]))
    print("\n".join(complained) or "no complaints")
    sys.exit(bool(complained))
