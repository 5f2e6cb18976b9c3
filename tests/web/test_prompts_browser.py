"""A prompt's main way in Chromium: its text written, a recording uploaded, cut by keys, heard, put in use; a telephone recording and a
voice's work that arrive while the page is open."""

from contextlib import ExitStack
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from appliance.ivr.prompts import kept, orders, shape, versions
from appliance.store.models import database
from appliance.store.place import place_of
from drivers.settings import Paths
from tests.web import prepared
from tests.web.agent import ScriptedAgent
from tests.web.browser import chromium, complaints, free_port, sign_in, wait_for, web_process
from tests.web.conftest import NOW
from tests.web.test_prompts import lufs, speech, wave_file
from webui import store

IN_ZH = "document.getElementById('in-zh')"


def test_a_prompt_is_made_anew(day: Path, tmp_path: Path) -> None:
    port = free_port()
    place = prepared.make_place(tmp_path / "box", port, template=day)
    (tmp_path / "spoken.wav").write_bytes(wave_file(speech(3.0)))
    with ExitStack() as stack:
        agent = ScriptedAgent(place.run_dir / "control.sock", NOW).start()
        stack.callback(agent.stop)
        agent.show_day()
        address = stack.enter_context(web_process(place.config, port))
        driver = stack.enter_context(chromium(tmp_path / "profile"))
        sign_in(driver, address, prepared.NAMES["administrator"])
        driver.get(f"{address}/prompts?q=greeting")
        driver.find_element(By.LINK_TEXT, "greeting").click()

        text = driver.find_element(By.ID, "text-zh")
        text.clear()
        text.send_keys("您好，这里是示范医院。")
        text.find_element(By.XPATH, "./ancestor::form//button").send_keys(Keys.ENTER)
        wait_for(driver, f"{IN_ZH}.querySelector('.card-actions .prompt-old') !== null")

        driver.find_element(By.ID, "file-zh").send_keys(str(tmp_path / "spoken.wav"))
        driver.find_element(By.CSS_SELECTOR, "form[action='/prompts/greeting/zh/upload'] .input-group .btn").click()
        wait_for(driver, "location.search === '?zh=1'")
        wait_for(driver, f"{IN_ZH}.querySelector('.player-time').textContent.endsWith('0:03')")

        driver.execute_script(f"{IN_ZH}.querySelector('details').open = true")
        slider = driver.find_element(By.CSS_SELECTOR, "#in-zh [data-end='start']")
        slider.send_keys(Keys.ARROW_RIGHT * 50)
        assert driver.find_element(By.ID, "start-zh").get_attribute("value") == "0.500"
        assert wait_for(driver, f"parseFloat({IN_ZH}.querySelector('.prompt-shade-start').style.width) > 15")
        end = driver.find_element(By.ID, "end-zh")
        end.clear()
        end.send_keys("2.25", Keys.TAB)
        assert driver.find_element(By.CSS_SELECTOR, "#in-zh [data-end='end']").get_attribute("value") == "2250"
        driver.find_element(By.CSS_SELECTOR, "#in-zh [data-hear-part]").send_keys(Keys.ENTER)
        wait_for(driver, f"Number({IN_ZH}.querySelector('.player').dataset.positionMs) > 1500")
        driver.find_element(By.CSS_SELECTOR, "form[action='/prompts/greeting/zh/1/shape'] button:not([type])").send_keys(Keys.ENTER)
        wait_for(driver, "location.search === '?zh=2'")
        driver.find_element(By.CSS_SELECTOR, "#in-zh > .card-body form[action='/prompts/greeting/zh/2/use'] button").send_keys(Keys.ENTER)
        wait_for(driver, f"{IN_ZH}.querySelector('.card-actions .bg-green-lt') !== null")

        store.bind(place_of(Paths(data_dir=str(place.data_dir))))
        with store.connection():
            (second, first) = versions.versions("greeting", "zh")
            assert (second.duration_ms, second.made_from, first.duration_ms) == (1750, 1, 3000)
            assert abs(lufs(second) - shape.TARGET_LUFS) <= shape.TOLERANCE_LU
            assert versions.used_version("greeting", "zh") == 2
        _arrives(place, driver)
        assert ("prompts", prepared.NAMES["administrator"]) in agent.asked
        assert complaints(driver) == []


def _arrives(place: prepared.Place, driver: webdriver.Chrome) -> None:
    """A code is asked for; what the caller speaks stands on the page without a touch."""
    driver.find_element(By.CSS_SELECTOR, "form[action='/prompts/greeting/en/record'] button").send_keys(Keys.ENTER)
    code = str(wait_for(driver, "document.querySelector('.studio-code')?.textContent")).replace(" ", "")
    with store.connection(), database.atomic():
        order = orders.newest("greeting", "en")
        assert order
        assert order.code == code
        audio = kept.keep(place.data_dir, "greeting", "en", b"\x55\xd5" * 8000)
        orders.done(order.id, audio, versions.TELEPHONE, NOW)
    wait_for(driver, "document.querySelector('#order-en .alert-success a') !== null")
    wait_for(driver, "document.querySelector('#order-en tbody').textContent.includes('1')")
