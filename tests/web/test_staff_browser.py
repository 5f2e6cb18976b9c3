"""The staff's pages in a browser: booked by keys alone, work that arrives by itself, the menu on a narrow screen."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from appliance.hospital.dispatch.limits import DispatchLimits
from appliance.hospital.dispatch.offering import offer_waiting
from appliance.store.booking_tables import Booking
from appliance.store.case_tables import WorkItem
from appliance.store.database import connect
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from tests.web import prepared
from tests.web.browser import chromium, complaints, free_port, wait_for, web_process


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, prepared.Place]]:
    port = free_port()
    prepared.fill(tmp_path / "template", datetime.now(UTC))
    place = prepared.make_place(tmp_path / "box", port, template=tmp_path / "template")
    with web_process(place.config, port) as address:
        yield address, place


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path / "profile") as driver:
        yield driver


def enter(driver: webdriver.Chrome, address: str, role: str) -> None:
    driver.get(f"{address}/sign-in")
    driver.find_element(By.NAME, "name").send_keys(prepared.NAMES[role])
    driver.find_element(By.NAME, "password").send_keys(prepared.PASSWORD)
    driver.find_element(By.CSS_SELECTOR, "main form button").click()
    wait_for(driver, "location.pathname !== '/sign-in'")


def in_store(place: prepared.Place) -> None:
    database.initialize(connect(place.data_dir / "careline.db"))


def test_a_visit_is_booked_by_keys_alone(site: tuple[str, prepared.Place], browser: webdriver.Chrome) -> None:
    address, place = site
    enter(browser, address, "registrar")
    wait_for(browser, "location.pathname === '/desk'")
    name = browser.find_element(By.NAME, "visitor")
    name.send_keys("王小明")
    name.send_keys(Keys.ENTER)  # books nothing: no time was chosen
    assert "/desk" in browser.current_url
    free = [button for button in browser.find_elements(By.CSS_SELECTOR, "button.slot-free") if button.is_displayed()]
    free[-1].send_keys(Keys.ENTER)
    wait_for(browser, "location.pathname.startsWith('/bookings/')")
    assert "王小明" in browser.page_source
    assert complaints(browser) == []
    in_store(place)
    with database.connection_context():
        assert Booking.select().where(Booking.name == "王小明").count() == 1


def test_work_arrives_without_anything_pressed(site: tuple[str, prepared.Place], browser: webdriver.Chrome) -> None:
    address, place = site
    enter(browser, address, "registrar")
    browser.get(f"{address}/work")
    browser.find_element(By.CSS_SELECTOR, "main form button").click()
    wait_for(browser, "document.getElementById('items') !== null")
    in_store(place)
    with database.connection_context(), write_transaction(database):
        WorkItem.update(waiting_since=datetime.now(UTC)).execute()
        offer_waiting(DispatchLimits(), datetime.now(UTC))
    wait_for(browser, "document.querySelector('#items .badge') !== null")
    browser.find_element(By.CSS_SELECTOR, "#items form button").click()
    wait_for(browser, "document.querySelector('#items form[action$=done]') !== null")
    assert complaints(browser) == []


def test_the_whole_menu_fits_a_narrow_screen(site: tuple[str, prepared.Place], browser: webdriver.Chrome, tmp_path: Path) -> None:
    address, _ = site
    enter(browser, address, "administrator")
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(f"{address}/patients")
    browser.find_element(By.CSS_SELECTOR, ".navbar-toggler").click()
    wait_for(browser, "document.querySelector('#menu.show') !== null")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    wanted = ["/desk", "/bookings", "/patients", "/money", "/complaints", "/work", "/hospital", "/rules", "/dashboard", "/me"]
    links = [link.get_attribute("href") or "" for link in browser.find_elements(By.CSS_SELECTOR, "#menu .nav-link") if link.is_displayed()]
    assert [path for path in wanted if f"{address}{path}" not in links] == []
    browser.save_screenshot(str(tmp_path / "menu.png"))
