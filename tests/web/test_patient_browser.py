"""The patients' pages in a real browser whose JavaScript is switched off, on a telephone's screen; the kiosk in one that has it.
Pictures of all of them: `python -m tests.web.test_patient_browser FOLDER`."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from appliance.hospital.booking import waitlist
from appliance.hospital.registry import card_password
from appliance.store.booking_tables import Slot
from appliance.store.database import open_store
from appliance.store.hospital_tables import Card
from tests.web import prepared
from tests.web.at_home import PASSWORD
from tests.web.browser import WAIT_S, chromium, complaints, free_port, web_process
from tests.web.screenshots import too_wide

SECRET = "blue-heron-on-the-pond"
WIDTHS = (320, 390, 1280)
FULL = 8  # of the prepared day: the day after tomorrow, Wang Fang
WITHOUT_SCRIPT = "--blink-settings=scriptEnabled=false"


class Screen:
    """A browser before the pages of one web process. `card`: a card with PASSWORD."""

    def __init__(self, driver: webdriver.Chrome, address: str, card: str) -> None:
        self.driver, self.address, self.card = driver, address, card

    def open(self, path: str) -> None:
        self.driver.get(f"{self.address}{path}")

    def size(self, width: int) -> None:
        size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def type(self, name: str, text: str) -> None:
        self.driver.find_element(By.NAME, name).send_keys(text)

    def press(self, selector: str = "main .go") -> None:
        """A link or a button that leads to another page."""
        before = self.driver.find_element(By.TAG_NAME, "html")
        self.driver.find_element(By.CSS_SELECTOR, selector).click()
        WebDriverWait(self.driver, WAIT_S, poll_frequency=0.1).until(lambda one: one.find_element(By.TAG_NAME, "html") != before)

    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "main").text

    def log_in(self) -> None:
        self.open("/p")
        self.type("card_number", self.card)
        self.type("password", PASSWORD)
        self.press()


@contextmanager
def screen(root: Path, *flags: str) -> Iterator[Screen]:
    port = free_port()
    prepared.fill(root / "day", datetime.now(UTC))
    place = prepared.make_place(root / "box", port, template=root / "day")
    place.config.write_text(place.config.read_text() + f'[[web.kiosks]]\nname = "hall"\nsecret = "{SECRET}"\n')
    with ExitStack() as stack:
        address = stack.enter_context(web_process(place.config, port))
        driver = stack.enter_context(chromium(root / "profile", *flags))
        yield Screen(driver, address, _card(place))


def _card(place: prepared.Place) -> str:
    """With a clinic that is full, for which the holder's daughter waits."""
    store = open_store(place.data_dir / "careline.db")
    Slot.update(state="booked").where(Slot.clinic == FULL).execute()
    waitlist.join(FULL, 2, "13800138000", datetime.now(UTC))
    card: Card = Card.get(Card.patient == 1)
    card_password.set_password(card.id, card_password.hashed(PASSWORD))
    store.close()
    return str(card.number)


def test_one_booking_without_script_on_a_telephone(tmp_path: Path) -> None:
    with screen(tmp_path, WITHOUT_SCRIPT) as at_home:
        at_home.size(390)
        set_up(at_home)
        at_home.press("a.go[href$=card]")
        assert not at_home.driver.find_element(By.CLASS_NAME, "keys").is_displayed()  # no script runs here
        at_home.log_in()
        at_home.press(".menu a")
        at_home.press(".rows a")
        at_home.press(".rows a")
        at_home.press(".times button")  # at the time of another booking
        assert "already have a booking at this time" in at_home.text()
        at_home.press(".choices button")
        assert "50.00" in at_home.text()
        at_home.type("password", PASSWORD)
        at_home.press()
        assert "150.00" in at_home.text()
        assert at_home.driver.find_elements(By.CSS_SELECTOR, ".slip svg")
        assert too_wide(at_home.driver) == []
        assert unexpected(at_home.driver) == []


def test_the_family_and_the_waitlist_without_script_on_a_small_screen(tmp_path: Path) -> None:
    with screen(tmp_path, WITHOUT_SCRIPT) as at_home:
        at_home.size(320)
        set_up(at_home)
        at_home.log_in()
        at_home.open("/p/family")
        at_home.press(".people button:nth-child(2)")
        assert "For 赵敏" in at_home.text()
        at_home.open("/p/family")
        at_home.press(".people button")
        at_home.open("/p/book/1/2")
        at_home.press("form[action='/p/waiting'] button")
        assert "You are waiting: number 2" in at_home.text()
        assert too_wide(at_home.driver) == []
        at_home.press(".waiting .bad")
        assert "You do not wait for it any more" in at_home.text()
        assert unexpected(at_home.driver) == []


def test_the_kiosk_has_keys_on_its_screen(tmp_path: Path) -> None:
    with screen(tmp_path) as hall:
        hall.size(1280)
        set_up(hall)
        hall.press("a.go[href$=card]")
        for digit in hall.card:
            hall.driver.find_element(By.XPATH, f"//div[@class='keys']/button[text()='{digit}']").click()
        assert hall.driver.find_element(By.NAME, "card_number").get_property("value") == hall.card
        hall.type("password", PASSWORD)
        hall.press("form .go")
        hall.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": "window.print = () => { window.printed = true; }"})
        hall.press("form .go")
        assert hall.driver.execute_script("return window.printed") is True
        assert unexpected(hall.driver) == []


def unexpected(driver: webdriver.Chrome) -> list[str]:
    """What the browser complained of, but for answers that are meant to say no."""
    return [line for line in complaints(driver) if "status of 409" not in line and "/p/nothing" not in line]


def set_up(hall: Screen) -> None:
    hall.open("/kiosk/set-up")
    hall.type("secret", SECRET)
    hall.press("form .go")


def take_all(folder: Path, root: Path) -> list[str]:
    """Pictures of every page, in both languages; what is wider than the screen."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    with screen(root) as one:
        one.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": "window.print = () => {};"})
        set_up(one)
        for language in ("zh", "en"):
            one.driver.add_cookie({"name": "language", "value": language, "path": "/"})
            for width in WIDTHS:
                one.size(width)
                found += _walk(one, folder, f"{language}-{width}")
    return found


def _walk(one: Screen, folder: Path, mark: str) -> list[str]:
    found: list[str] = []

    def picture(name: str) -> None:
        one.driver.save_screenshot(str(folder / f"{name}-{mark}.png"))
        found.extend(f"{name} {mark}: {line}" for line in (*too_wide(one.driver), *unexpected(one.driver)))

    one.open("/p")
    picture("entry")
    one.log_in()
    for name, path in _pages().items():
        one.open(path)
        picture(name)
    one.open("/p/book/1/1")
    one.press(".times button")
    picture("refused")
    one.press(".choices button")
    picture("confirm")
    one.press(".menu button")
    one.open("/kiosk")
    picture("kiosk")
    one.press("a.go[href$=card]")
    picture("kiosk-card")
    one.type("card_number", one.card)
    one.type("password", PASSWORD)
    one.press("form .go")
    picture("kiosk-bookings")
    one.press("form .go")
    picture("kiosk-slip")
    return found


def _pages() -> dict[str, str]:
    names = {"bookings": "bookings", "visit": "bookings/1", "cancel": "bookings/1/cancel", "departments": "book", "doctors": "book/1"}
    names |= {"times": "book/1/1", "moving": "book/1/2?instead=1", "account": "account", "password": "password", "missing": "nothing"}
    names |= {"family": "family", "waiting": "waiting", "full": "book/1/2", "choice": "book/1"}
    return {name: f"/p/{path}" for name, path in names.items()}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        complained = take_all(Path(sys.argv[1]), Path(scratch))
    print("\n".join(complained) or "no complaints")
    sys.exit(bool(complained))
