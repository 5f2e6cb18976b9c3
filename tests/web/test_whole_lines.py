"""The page Lines of a whole box: three processes on the virtual card and a browser. A line is tested, lines are blocked, and a span is set
up anew while a call on another one goes on.
"""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By

from appliance.control.handset import Handset, dial_message
from appliance.store.models import LineAction
from tests.web import prepared
from tests.web.browser import chromium, click, complaints, pick, wait_for
from tests.web.daemons import whole_box
from tests.web.screenshots import make_first
from webui import store

LINES = """
[[lines.virtual.spans]]
kind = "fxo"
channels = 2

[[lines.virtual.spans]]
kind = "fxo"
channels = 2

[[lines.virtual.spans]]
kind = "fxs"
channels = 1

[[lines.virtual.spans]]
kind = "pri"
"""
NUMBER = "01088886666"


@contextmanager
def box(root: Path) -> Iterator[tuple[prepared.Place, str, webdriver.Chrome]]:
    with whole_box(root / "box", LINES) as (place, address), chromium(root / "profile") as driver:
        make_first(driver, address, place)
        yield place, address, driver
        assert complaints(driver) == []


def agree(driver: webdriver.Chrome) -> None:
    """Yes to the question the page asks first."""
    wait_for(driver, "document.getElementById('confirm').open")
    click(driver, "confirm-yes")


def shows(driver: webdriver.Chrome, element: str, text: str, limit_s: float = 20.0) -> None:
    wait_for(
        driver, f"document.getElementById('{element}') && document.getElementById('{element}').textContent.includes('{text}')", limit_s
    )


def choose(driver: webdriver.Chrome, **values: str) -> None:
    driver.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    for name, value in values.items():
        pick(driver, name.replace("_", "-"), value)


def submit(driver: webdriver.Chrome, action: str) -> None:
    driver.execute_script(f"document.querySelector('form[action=\"{action}\"]').requestSubmit()")


def told(place: prepared.Place) -> list[tuple[str, str]]:
    store.bind(place.data_dir / "careline.db")
    with store.connection():
        return [(row.by, row.action) for row in LineAction.select().order_by(LineAction.id)]


def test_line_is_tested_and_blocked_from_the_page(tmp_path: Path) -> None:
    with box(tmp_path) as (place, address, driver):
        driver.get(f"{address}/channels/1")
        choose(driver, test_kind="dial_tone")
        submit(driver, "/channels/1/test")
        agree(driver)
        shows(driver, "part-test", "Dial tone was heard", 30.0)
        shows(driver, "part-test", "Level")
        driver.get(f"{address}/lines")
        shows(driver, "part-line-history", "dial tone test of")
        shows(driver, "part-line-spans", "D-channel down")
        shows(driver, "part-line-history", "D-channel down")
        submit(driver, "/channels/2/blocked")
        agree(driver)
        shows(driver, "line-2", "Blocked")
        assert told(place) == [("chen", "test_dial_tone_started"), ("chen", "test_dial_tone"), ("chen", "blocked")]


def test_span_is_set_up_while_a_call_goes_on(tmp_path: Path) -> None:
    with box(tmp_path) as (place, address, driver), Handset(place.run_dir / "handset.sock", dial_message(NUMBER)) as caller:
        caller.wait_for("talking", limit_s=30.0)
        driver.get(f"{address}/lines/setup")
        choose(driver, port_3="fxsls", port_4="fxsls", use_4="r2", r2_4_variant="itu")
        submit(driver, "/lines/setup/check")
        wait_for(driver, "document.querySelectorAll('.diff-new').length > 3")
        click(driver, "apply")
        wait_for(driver, "location.pathname === '/lines'")
        shows(driver, "part-state", "chen is trying a new set-up")
        shows(driver, "line-3", "line fxsls")
        shows(driver, "line-6", "MFC/R2")
        assert not (place.data_dir / "lines.toml").exists()
        wait_for(driver, "document.querySelector('[data-until]').textContent < '0:57'")
        click(driver, "setup-keep")
        wait_for(driver, "location.pathname === '/lines' && document.querySelector('.alert-success')")
        wait_for(driver, "document.querySelector('[data-until]') === null")
        kept = tomllib.loads((place.data_dir / "lines.toml").read_text("utf-8"))
        assert kept["spans"][1] == {"span": 2, "fxsls": "3-4"}
        assert kept["r2"] == [{"span": 4, "variant": "itu"}]
        driver.get(f"{address}/lines")
        shows(driver, "line-1", "In the menus")
        caller.press("5")
        caller.hang_up()
        assert told(place) == [("chen", "setup_tried"), ("chen", "setup_kept")]


def test_bad_set_up_is_told_on_the_page(tmp_path: Path) -> None:
    with box(tmp_path) as (_, address, driver):
        driver.get(f"{address}/lines/setup")
        choose(driver, port_3="fxsls")
        submit(driver, "/lines/setup/check")
        wait_for(driver, "document.querySelector('.alert-danger') !== null")
        page = driver.find_element(By.TAG_NAME, "main").text
        assert "CFG-097" in page
        assert "Choose the same for all ports of that span" in page
        assert driver.find_element(By.ID, "port-3").get_attribute("value") == "fxsls"
        choose(driver, port_4="fxsls")
        name = driver.find_element(By.ID, "group-0-channels")
        name.clear()
        name.send_keys("1-4,99")
        submit(driver, "/lines/setup/check")
        wait_for(driver, "document.body.textContent.includes('CFG-033')")
        driver.get_log("browser")  # the two answers of 422, which are meant
