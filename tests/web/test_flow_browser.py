"""The page on which a draft is edited, in a browser: on a narrow screen, by keys alone, undone, with another at the same draft."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from appliance.ivr import publishing
from appliance.ivr.flow import Flow
from appliance.ivr.reading import read
from appliance.store.models import Account, database
from appliance.store.transaction import write_transaction
from tests.web import prepared
from tests.web.browser import chromium, complaints, free_port, wait_for, web_process
from tests.web.flow_builder import Builder
from tests.web.test_staff_browser import enter
from webui import store

CHOSEN = "document.getElementById('flow-desk').dataset.chosen"


@pytest.fixture
def builder(tmp_path: Path) -> Iterator[Builder]:
    """The draft of a new flow, open."""
    port = free_port()
    prepared.fill(tmp_path / "template", datetime.now(UTC))
    place = prepared.make_place(tmp_path / "box", port, template=tmp_path / "template")
    store.bind(place.data_dir / "careline.db")
    with web_process(place.config, port) as address, chromium(tmp_path / "profile") as driver:
        enter(driver, address, "business")
        driver.get(f"{address}/flows-new")
        for name, text in (("name", "visits"), ("title_zh", "探视"), ("title_en", "Visits")):
            driver.find_element(By.NAME, name).send_keys(text)
        driver.find_element(By.CSS_SELECTOR, "main form button").click()
        wait_for(driver, "document.getElementById('flow-desk') !== null")
        yield Builder(driver)


def draft() -> Flow:
    with store.connection():
        flow, faults = read(publishing.text_of("visits", 1), "visits")
    assert flow is not None, faults
    return flow


def narrow(driver: webdriver.Chrome) -> None:
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def test_a_narrow_screen_does_all_by_lists(builder: Builder) -> None:
    narrow(builder.driver)
    builder.driver.refresh()
    builder.add("say", "欢迎", "Welcome")
    builder.say_found("greeting", "greeting")
    builder.lead("done", "new:menu")
    assert builder.chosen() == "menu_1"
    builder.press("key_add")
    builder.lead("key_1", "say_1")
    builder.fill("exit", "again")
    assert builder.driver.execute_script("return document.documentElement.scrollWidth") <= 390
    flow = draft()
    assert flow.places["say_1"].exits == {"done": "menu_1"}
    assert flow.places["menu_1"].exits == {"again": "say_1"}
    assert complaints(builder.driver) == []


def test_by_keys_alone_and_undone(builder: Builder) -> None:
    driver = builder.driver
    builder.add("say", "欢迎", "Welcome")
    builder.add("hang_up", "再见", "Goodbye")
    builder.connect_by_keys("say_1", "done", "hang_up_1")
    box = driver.find_element(By.CSS_SELECTOR, "svg [data-place=hang_up_1]")
    before = builder.saved()
    driver.execute_script("arguments[0].focus()", box)
    ActionChains(driver).key_down(Keys.ALT).send_keys(Keys.ARROW_DOWN).key_up(Keys.ALT).perform()
    builder.answered(before)
    moved = draft().places["hang_up_1"].at
    assert moved is not None
    before = builder.saved()
    ActionChains(driver).key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()
    builder.answered(before)
    assert draft().places["hang_up_1"].at is None
    builder.press("undo")
    assert draft().places["say_1"].exits == {}
    builder.press("redo")
    assert draft().places["say_1"].exits == {"done": "hang_up_1"}
    driver.find_element(By.CSS_SELECTOR, "[data-from=say_1][data-exit=done]").send_keys(Keys.ENTER)
    wait_for(driver, "document.querySelector('.flow-choosing') !== null")
    ActionChains(driver).send_keys(Keys.ESCAPE).perform()
    wait_for(driver, "document.querySelector('.flow-choosing') === null")
    assert complaints(driver) == []


def test_what_is_typed_is_checked_while_it_is_typed_and_kept(builder: Builder) -> None:
    builder.add("ask_digits", "编号", "Number")
    before = builder.saved()
    field = builder.driver.find_element(By.CSS_SELECTOR, "#flow-panel [name=max]")
    field.send_keys(Keys.BACKSPACE, "99")  # stays in the field
    builder.answered(before)
    assert "APP" not in str(field.get_attribute("value"))
    mark = builder.driver.find_element(By.CSS_SELECTOR, "[data-mark=max]")
    assert "99" in str(mark.get_attribute("textContent"))
    assert builder.driver.switch_to.active_element == field
    assert getattr(draft().places["ask_digits_1"], "max", 0) == 99
    builder.driver.refresh()
    builder.choose("ask_digits_1")
    assert builder.driver.find_element(By.CSS_SELECTOR, "#flow-panel [name=max]").get_attribute("value") == "99"


def test_who_is_overtaken_is_told_and_keeps_what_was_typed(builder: Builder) -> None:
    builder.add("say", "欢迎", "Welcome")
    with store.connection(), write_transaction(database):
        row = publishing.versions("visits")[0]
        other = Account.get(Account.name == prepared.NAMES["administrator"])
        publishing.save_draft("visits", row.text.replace("Welcome", "Hello"), other, datetime.now(UTC), saved=row.saved)
    field = builder.driver.find_element(By.CSS_SELECTOR, "#flow-panel [name='title.en']")
    field.send_keys(" to all", Keys.TAB)
    wait_for(builder.driver, "document.querySelector('#flow-conflict .alert') !== null")
    told = builder.driver.find_element(By.ID, "flow-conflict").text
    assert prepared.NAMES["administrator"] in told
    assert field.get_attribute("value") == "Welcome to all"
    assert draft().places["say_1"].title["en"] == "Hello"
    builder.driver.find_element(By.CSS_SELECTOR, "#flow-conflict a").click()
    wait_for(builder.driver, "document.getElementById('flow-conflict').childElementCount === 0")
    builder.choose("say_1")
    builder.fill("title.en", "Hello to all")
    assert draft().places["say_1"].title["en"] == "Hello to all"


def test_a_finger_drags_the_chosen_place_and_connects(builder: Builder) -> None:
    driver = builder.driver
    builder.add("say", "欢迎", "Welcome")
    builder.add("hang_up", "再见", "Goodbye")
    before = builder.saved()
    finger(driver, middle_of(driver, "svg [data-place=hang_up_1] rect"), (40, 90))
    builder.answered(before)
    assert draft().places["hang_up_1"].at is not None
    before = builder.saved()
    port, target = middle_of(driver, "[data-from=say_1][data-exit=done] circle"), middle_of(driver, "svg [data-place=hang_up_1] rect")
    finger(driver, port, (target[0] - port[0], target[1] - port[1]))
    builder.answered(before)
    assert draft().places["say_1"].exits == {"done": "hang_up_1"}


def middle_of(driver: webdriver.Chrome, selector: str) -> tuple[float, float]:
    box = driver.execute_script(
        "const box = document.querySelector(arguments[0]); box.scrollIntoView({block: 'nearest', inline: 'nearest', behavior: 'instant'});"
        "const at = box.getBoundingClientRect(); return [at.x + at.width / 2, at.y + at.height / 2]",
        selector,
    )
    return box[0], box[1]


def finger(driver: webdriver.Chrome, begin: tuple[float, float], by: tuple[float, float]) -> None:
    """Put down at `begin`, moved in five steps, lifted."""
    for step in range(7):
        kind = "touchStart" if step == 0 else "touchEnd" if step == 6 else "touchMove"
        points = [] if kind == "touchEnd" else [{"x": begin[0] + by[0] * step / 5, "y": begin[1] + by[1] * step / 5}]
        driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
