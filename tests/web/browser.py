"""Headless Chromium and the real web process, for tests that need both. Everything is on the loopback; each browser has a fresh profile."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.web import prepared

START_LIMIT_S = 30.0
WAIT_S = 20.0
PAGE_LIMIT_S = 30.0
REPLACED = (StaleElementReferenceException, NoSuchElementException)
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--window-size=1280,1000",
    "--autoplay-policy=no-user-gesture-required",
)
ALLOW_MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def web_process(config: Path, port: int) -> Iterator[str]:
    """`python -m webui` until the block ends; yields its address."""
    process = subprocess.Popen([sys.executable, "-m", "webui", "--config", str(config)], stderr=subprocess.PIPE, text=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_alive(process, address)
        yield address
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15.0)
        process.kill()
        process.communicate()


@contextmanager
def chromium(profile: Path, *more_flags: str) -> Iterator[webdriver.Chrome]:
    """A browser with an empty profile in `profile`."""
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, *more_flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.set_page_load_timeout(PAGE_LIMIT_S)
    try:
        yield driver
    finally:
        driver.quit()


def wait_for(driver: webdriver.Chrome, script: str, limit_s: float = WAIT_S) -> object:
    """Until the JavaScript expression is true; returns its value."""
    return WebDriverWait(driver, limit_s, poll_frequency=0.1).until(lambda one: one.execute_script(f"return {script}"), script)


def click(driver: webdriver.Chrome, element_id: str, limit_s: float = WAIT_S) -> None:
    """Click what has that id; again when a live part took its place just then. A click on what was replaced was none."""

    def clicked(one: webdriver.Chrome) -> bool:
        one.find_element(By.ID, element_id).click()
        return True

    WebDriverWait(driver, limit_s, poll_frequency=0.1, ignored_exceptions=REPLACED).until(clicked, element_id)


def pick(driver: webdriver.Chrome, element_id: str, value: str, limit_s: float = WAIT_S) -> None:
    """Choose from the list that has that id, in the same way."""

    def picked(one: webdriver.Chrome) -> bool:
        Select(one.find_element(By.ID, element_id)).select_by_value(value)
        return True

    WebDriverWait(driver, limit_s, poll_frequency=0.1, ignored_exceptions=REPLACED).until(picked, f"{element_id} {value}")


def sign_in(driver: webdriver.Chrome, address: str, name: str, password: str = prepared.PASSWORD) -> None:
    driver.get(f"{address}/sign-in")
    driver.find_element(By.NAME, "name").send_keys(name)
    driver.find_element(By.NAME, "password").send_keys(password)
    driver.find_element(By.CSS_SELECTOR, "main form button").click()
    wait_for(driver, "location.pathname === '/dashboard'")


def complaints(driver: webdriver.Chrome) -> list[str]:
    """What the browser's console complained of: script errors, blocked styles, missing files."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def _wait_alive(process: subprocess.Popen[str], address: str) -> None:
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        with suppress(OSError), urllib.request.urlopen(f"{address}/alive", timeout=2.0):
            return
        time.sleep(0.1)
    raise AssertionError(f"the web process did not answer in {START_LIMIT_S} s")
