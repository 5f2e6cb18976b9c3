"""A flow of 20 places built from nothing in a browser, by somebody who knows no YAML; refused while it has a dead end; walked until
everything was seen; published while 30 calls go on; taken back. Three processes on the virtual card.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from selenium import webdriver
from selenium.webdriver.common.by import By

from appliance.control.client import ControlClient
from appliance.control.handset import Handset, dial_message
from appliance.control.messages import LiveCallChanged, LiveSnapshot, UsePrompts
from appliance.ivr import publishing
from appliance.ivr.flow import PERSON, Flow
from appliance.ivr.nodes import AskDigits, AskYesNo, Branch, Keyed, Menu, SubFlow
from appliance.ivr.prompts import kept, versions, wav
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.reading import read
from appliance.store.models import Account, CallRecord, database
from appliance.store.transaction import write_transaction
from tests.web import prepared
from tests.web.browser import chromium, click, complaints, wait_for
from tests.web.daemons import whole_box
from tests.web.flow_builder import Builder
from tests.web.screenshots import make_first
from webui import store

CALLS = 30
ENDED_S = 60.0
LINES = '[[lines.virtual.spans]]\nkind = "fxo"\nchannels = 16\n' * 2 + '[[lines.virtual.spans]]\nkind = "fxs"\nchannels = 1\n'
NUMBER = "01088886666"
KINDS = {"say": 5, "menu": 2}
KINDS |= dict.fromkeys(("time_of_day", "ask_digits", "action", "ask_yes_no", "send", "language", "branch", "transfer"), 1)
KINDS |= dict.fromkeys(("queue", "leave_message", "record", "sub_flow", "hang_up"), 1)

EXPECTED = ("/publish - ", "TOO MANY REQUESTS")
"""What the browser is meant to tell: the flow with a dead end was refused; the page waits when there are more than 120 changes a minute."""

Box = tuple[prepared.Place, str, webdriver.Chrome]


@contextmanager
def box(root: Path) -> Iterator[Box]:
    with whole_box(root / "box", LINES) as (place, address), chromium(root / "profile", "--window-size=1280,1400") as driver:
        make_first(driver, address, place)
        store.bind(place.data_dir / "careline.db")
        yield place, address, driver


def test_a_flow_from_the_first_place_to_the_call_that_hears_it(tmp_path: Path) -> None:
    with box(tmp_path) as (place, address, driver):
        begin_with_nothing(driver, address)
        builder = Builder(driver)
        build(builder)
        record_all(place)
        is_refused_while_it_has_a_dead_end(builder, address)
        builder.choose("say_5")
        builder.lead("done", "menu_1")
        builder.driver.refresh()
        assert "bg-green-lt" in str(driver.find_element(By.ID, "flow-bar").get_attribute("innerHTML"))
        flow = the_draft()
        assert (len(flow.places), dict(count_of(flow))) == (20, KINDS)
        is_walked_until_all_was_seen(driver, address, flow)
        with calls(place, CALLS) as running:
            publish(driver, address)
            for caller in running:
                caller.press("w9")  # the language, in the menu of the flow they began with
        ended = [path for path in paths(place, CALLS) if "language" in path]
        assert len(ended) == CALLS
        assert not any("say_1" in path for path in ended)
        assert the_next_call(place, CALLS).startswith("say_1")
        take_back(driver, address)
        assert "say_1" not in the_next_call(place, CALLS + 1)
        assert [line for line in complaints(driver) if not any(told in line for told in EXPECTED)] == []


# --- building ------------------------------------------------------------------------------------------------------------


def begin_with_nothing(driver: webdriver.Chrome, address: str) -> None:
    driver.get(f"{address}/flows/hotline/draw")
    driver.find_element(By.CSS_SELECTOR, "button[value=nothing]").click()
    wait_for(driver, "document.getElementById('flow-desk') !== null")


def build(builder: Builder) -> None:
    """All places, then where their exits lead; the last of them is forgotten."""
    speak(builder)
    ask(builder)
    go_elsewhere(builder)
    connect(builder)
    builder.choose("")
    for entry, to in (("operator", "transfer_1"), ("after_hours", "leave_message_1")):
        builder.entry(entry, to)


def speak(builder: Builder) -> None:
    builder.add("say", "欢迎", "Welcome")
    builder.say_new("欢迎致电示范医院，本次通话将被录音。", "Welcome to the hospital. This call is recorded.")
    builder.add("menu", "主菜单", "Main menu")
    builder.say_new("探视请按一，药品请按二，英文请按三。", "For visiting press one, for drugs two, for Chinese three.")
    builder.add("say", "探视时间", "Visiting hours")
    builder.say_new("探视时间是每天下午三点到八点。", "Visiting is from three to eight in the afternoon.")
    builder.say_value("opening_hours", "")
    builder.add("menu", "再听一遍", "Once more")
    builder.say_found("after information", "after_information")


def ask(builder: Builder) -> None:
    builder.add("ask_digits", "药品编号", "Number of the drug")
    builder.say_found("drug number", "ask_drug_number")
    builder.fill("variable", "drug_number")
    builder.add("branch", "编号大小", "How large")
    builder.press("case_add")
    for name, text in (("variable", "drug_number"), ("value", "100"), ("exit", "small")):
        builder.fill(f"cases.0.{name}", text)
    builder.pick("cases.0.test", "less")
    builder.add("action", "查药品", "Look up the drug")
    builder.pick("action", "find_drug")
    builder.add("say", "药品说明", "About the drug")
    builder.add("ask_yes_no", "要短信吗", "A text message?")
    builder.say_found("yes or no", "yes_or_no")
    builder.add("send", "发短信", "Send it")
    builder.fill("text.zh", "您查询的药品是 {drug_number}")
    builder.fill("text.en", "You asked for drug {drug_number}")


def go_elsewhere(builder: Builder) -> None:
    builder.add("language", "换语言", "Other language")
    builder.add("say", "语言已换", "Language changed")
    builder.say_found("language_chosen", "language_chosen")
    builder.add("time_of_day", "上班吗", "Are we open?")
    builder.add("transfer", "总机", "Operator")
    builder.add("queue", "排队", "Queue")
    builder.add("leave_message", "留言", "Message")
    builder.add("record", "口述", "Statement")
    builder.fill("variable", "statement")
    builder.add("sub_flow", "信息", "Information")
    builder.pick("flow", "information")
    builder.add("say", "已记下", "Noted")
    builder.say_new("您的话已经记下。", "What you said has been noted.")
    builder.add("hang_up", "再见", "Goodbye")
    builder.say_found("goodbye", "goodbye")


LEADS = {
    "time_of_day_1": {"closed": "leave_message_1", "holiday": "leave_message_1"},
    "say_2": {"done": "menu_2"},
    "ask_digits_1": {"got": "branch_1", "too_many": "transfer_1", "silent": "hang_up_1"},
    "branch_1": {"small": "action_1", "otherwise": "menu_1"},
    "action_1": {"found": "say_3", "near": "ask_digits_1", "unknown": "ask_digits_1", "lost": "transfer_1", "failed": "transfer_1"},
    "say_3": {"done": "ask_yes_no_1"},
    "ask_yes_no_1": {"yes": "send_1", "no": "menu_1", "too_many": "transfer_1", "silent": "hang_up_1"},
    "send_1": {"queued": "menu_1", "failed": "transfer_1"},
    "language_1": {"done": "say_4"},
    "say_4": {"done": "menu_1"},
    "transfer_1": {"ended": "hang_up_1", "busy": "queue_1", "no_answer": "queue_1", "failed": "leave_message_1"},
    "queue_1": {"ended": "hang_up_1", "gave_up": "leave_message_1", "failed": "leave_message_1"},
    "leave_message_1": {"saved": "hang_up_1", "given_up": "hang_up_1", "unavailable": "hang_up_1"},
    "record_1": {"recorded": "say_5", "given_up": "menu_1", "unavailable": "menu_1"},
    "sub_flow_1": {"done": "menu_1", "person": "transfer_1"},
}


def connect(builder: Builder) -> None:
    """By clicking in the graph, by keys, and by the lists of the forms."""
    builder.click_exit_then("say_1", "done", "time_of_day_1")
    builder.connect_by_keys("time_of_day_1", "open", "menu_1")
    for place, exits in LEADS.items():
        builder.choose(place)
        for exit_name, to in exits.items():
            builder.lead(exit_name, to)
    builder.choose("say_3")
    builder.say_value("list", "said")
    menu(builder, "menu_1", {"1": "say_2", "2": "ask_digits_1", "3": "language_1", "4": "record_1", "5": "sub_flow_1"})
    menu(builder, "menu_2", {"1": "say_2", "2": "menu_1"})
    builder.drag("hang_up_1", 40, 60)


def menu(builder: Builder, place: str, keys: dict[str, str]) -> None:
    builder.choose(place)
    for key, to in keys.items():
        builder.press("key_add")
        builder.lead(f"key_{key}", to)
    builder.lead("too_many", "transfer_1")
    builder.lead("silent", "hang_up_1")


def record_all(place: prepared.Place) -> None:
    """What the hospital's speaker does on the pages of the prompts: a sound for every new text, in use."""
    alaw, now = wav.unwrap(PromptLibrary().path("greeting", "zh")), datetime.now(UTC)
    with store.connection():
        by = Account.get(Account.name == "chen")
        for (prompt, lang), text in versions.texts().items():
            with kept.keeping(place.data_dir, prompt, lang, alaw) as audio, write_transaction(database):
                number = versions.add(prompt, lang, audio, text, versions.UPLOAD, by.name, now)
                versions.put_in_use(prompt, lang, number, by, now)
    with ControlClient(place.run_dir / "control.sock") as client:
        client.request(UsePrompts(by="chen"))


# --- refused, walked, published, taken back ----------------------------------------------------------------------------------


def is_refused_while_it_has_a_dead_end(builder: Builder, address: str) -> None:
    """The page says where: at the place, in the graph, at the exit; and nothing is published."""
    driver = builder.driver
    driver.refresh()
    assert driver.find_elements(By.CSS_SELECTOR, "svg [data-place=say_5] .flow-alarm")
    assert driver.find_elements(By.CSS_SELECTOR, ".flow-loose[data-from=say_5][data-exit=done]")
    assert builder.faults("say_5", "exits.done")
    driver.get(f"{address}/flows/hotline/1")
    assert not driver.find_element(By.ID, "publish").is_enabled()
    assert "say_5" in driver.find_element(By.CSS_SELECTOR, ".faults-listed").text
    driver.execute_script("document.getElementById('publish').disabled = false")
    confirmed(driver, "#publish")
    wait_for(driver, "document.querySelector('.alert-danger') !== null")
    with store.connection():
        assert publishing.newest_edition() == 0
    driver.get(f"{address}/flows/hotline/draw")


def is_walked_until_all_was_seen(driver: webdriver.Chrome, address: str, flow: Flow) -> None:
    """The first walk by the keypad, the others by their addresses; then the graph has nothing that was not seen."""
    driver.get(f"{address}/flows/hotline/1/walk?entry=hotline&lang=zh")
    press_on_keypad(driver, "open")
    press_on_keypad(driver, "1")
    press_on_keypad(driver, "2")
    assert driver.find_elements(By.CSS_SELECTOR, "a.flow-unseen")
    for entry, answers in walks(flow):
        asked = urlencode([("entry", entry), ("lang", "zh"), *(("a", answer) for answer in answers)])
        driver.get(f"{address}/flows/hotline/1/walk?{asked}")
    unseen = [link.get_attribute("aria-label") for link in driver.find_elements(By.CSS_SELECTOR, "a.flow-unseen")]
    assert unseen == []
    left = driver.find_elements(By.CSS_SELECTOR, ".flow-exit-unseen")
    assert [driver.execute_script("return arguments[0].textContent", one) for one in left] == []


def press_on_keypad(driver: webdriver.Chrome, answer: str) -> None:
    button = driver.find_element(By.CSS_SELECTOR, f"main button[name=a][value='{answer}']")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button)
    button.click()


def walks(flow: Flow) -> Iterator[tuple[str, list[str]]]:
    """For every exit of every place, the shortest walk that takes it."""
    for entry, begin in flow.entries.items():
        ways: deque[tuple[str, list[str]]] = deque([(begin, [])])
        been: set[str] = set()
        while ways:
            place, answers = ways.popleft()
            if place in been:
                continue
            been.add(place)
            for exit_name, to in flow.ways(place).items():
                taken = taking(flow, place, exit_name, answers)
                yield entry, taken
                ways.append((to, taken))


def taking(flow: Flow, place: str, exit_name: str, before: list[str]) -> list[str]:
    """The answers `before` that place, and what makes a caller take that exit; the digits a branch looks at were keyed just before."""
    node = flow.places[place]
    if isinstance(node, Branch):
        return [*before[:-1], "5#" if exit_name == "small" else "500#"]
    if isinstance(node, Keyed) and exit_name in (PERSON, "silent", "too_many"):
        wrong = "9999999#" if isinstance(node, AskDigits) else "9"
        return [*before, *{PERSON: ["0"], "silent": [""] * 3, "too_many": [wrong] * 3}[exit_name]]
    match node:
        case Menu():
            return [*before, next(str(key) for key, name in node.keys.items() if name == exit_name)]
        case AskDigits():
            return [*before, "5#"]
        case AskYesNo():
            return [*before, node.yes if exit_name == "yes" else node.no]
        case SubFlow():
            return before
        case _:
            return [*before, exit_name] if len(node.exits) > 1 else before


def publish(driver: webdriver.Chrome, address: str) -> None:
    driver.get(f"{address}/flows/hotline/1")
    driver.find_element(By.CSS_SELECTOR, "form [name=note]").send_keys("探视时间")
    confirmed(driver, "#publish")
    wait_for(driver, "document.querySelector('.alert-success, .alert-info') !== null", 30.0)
    with store.connection():
        assert publishing.live_versions()["hotline"] == 1


def take_back(driver: webdriver.Chrome, address: str) -> None:
    driver.get(f"{address}/flows")
    assert "探视时间" in driver.find_element(By.TAG_NAME, "main").text
    driver.find_elements(By.CSS_SELECTOR, "form[action$=roll-back] [name=note]")[-1].send_keys("太早了")
    confirmed(driver, "form[action='/flow-editions/0/roll-back'] button")
    wait_for(driver, "document.body.textContent.includes('太早了')", 30.0)


def confirmed(driver: webdriver.Chrome, selector: str) -> None:
    button = driver.find_element(By.CSS_SELECTOR, selector)
    driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button)
    button.click()
    click(driver, "confirm-yes")


# --- calls ---------------------------------------------------------------------------------------------------------------------


@contextmanager
def calls(place: prepared.Place, count: int) -> Iterator[list[Handset]]:
    """So many that hear the flow; hung up at the end."""
    with ExitStack() as stack:
        made = [stack.enter_context(Handset(place.run_dir / "handset.sock", dial_message(NUMBER))) for _ in range(count)]
        for caller in made:
            caller.wait_for("talking", limit_s=60.0)
        yield made
        settle(place, count)
        for caller in made:
            caller.hang_up()


def settle(place: prepared.Place, count: int) -> None:
    """Until all of them have changed the language."""
    changed: set[str] = set()
    with ControlClient(place.run_dir / "control.sock") as client:
        for message in client.subscribe():
            told = message.calls if isinstance(message, LiveSnapshot) else (message.call,) if isinstance(message, LiveCallChanged) else ()
            changed |= {call.call_id for call in told if "language" in call.came}
            if len(changed) >= count:
                return


def the_next_call(place: prepared.Place, before: int) -> str:
    with Handset(place.run_dir / "handset.sock", dial_message(NUMBER)) as caller:
        caller.wait_for("talking", limit_s=60.0)
        caller.press("ww")
        caller.hang_up()
    return paths(place, before + 1)[-1]


def paths(place: prepared.Place, count: int) -> list[str]:
    """Of the calls there were, in order, as soon as so many have ended."""
    until = time.monotonic() + ENDED_S
    while time.monotonic() < until:
        with store.connection():
            rows = list(CallRecord.select().where(CallRecord.ended_at.is_null(False)).order_by(CallRecord.ended_at))
        if len(rows) >= count:
            return [str(row.path) for row in rows]
        time.sleep(0.2)
    raise AssertionError(f"{count} calls did not end in {ENDED_S} s")


def the_draft() -> Flow:
    with store.connection():
        flow, faults = read(publishing.text_of("hotline", 1), "hotline")
    assert flow is not None, faults
    return flow


def count_of(flow: Flow) -> dict[str, int]:
    kinds = [str(node.__struct_config__.tag) for node in flow.places.values()]
    return {kind: kinds.count(kind) for kind in KINDS}
