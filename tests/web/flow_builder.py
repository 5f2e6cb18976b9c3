"""Somebody at the page on which a draft is edited, in a browser: adds places, fills in forms, connects by clicks, keys and lists."""

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from tests.web.browser import wait_for

DESK = "document.getElementById('flow-desk')"
QUIET = "document.getElementById('main').ariaBusy === 'false'"
PATIENCE_S = 90.0  # the server takes 120 changes a minute, and the page waits


class Builder:
    """The page is open in `driver`; every method ends when the server has answered."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    # --- changes ---------------------------------------------------------------------------------------------------------

    def add(self, kind: str, zh: str, en: str) -> str:
        """From the palette, with titles; the name of the place."""
        before = self.saved()
        adding = self._css("#flow-add")
        self._into_view(adding)
        adding.click()
        button = self._css(f".flow-palette button[value={kind}]")
        self._into_view(button)
        button.click()
        self.answered(before)
        place = self.chosen()
        self.fill("title.zh", zh)
        self.fill("title.en", en)
        return place

    def choose(self, place: str) -> None:
        """By its line in the table; the empty one is the flow itself."""
        link = self._css(f"#flow-table [data-place='{place}']" if place else "#flow-bar [data-place='']")
        self._into_view(link)
        link.click()
        wait_for(self.driver, f"{QUIET} && {DESK}.dataset.chosen === '{place}'")

    def fill(self, name: str, text: str) -> None:
        """A field of the form; it is saved when the field is left."""
        before = self.saved()
        field = self._css(f"#flow-panel [name='{name}']")
        if field.get_attribute("value") == text:
            return
        self._into_view(field)
        field.send_keys(Keys.CONTROL + "a" + Keys.NULL, text, Keys.TAB)
        self.answered(before)

    def pick(self, name: str, value: str) -> None:
        """A choice of the form."""
        before = self.saved()
        Select(self._css(f"#set [name='{name}']")).select_by_value(value)
        self.answered(before)

    def lead(self, exit_name: str, to: str) -> None:
        """An exit of the chosen place, by its list."""
        before = self.saved()
        field = self._css(f"#flow-panel [data-exit-of='{exit_name}']")
        self._into_view(field)
        Select(field).select_by_value(to)
        self.answered(before)

    def click_exit_then(self, place: str, exit_name: str, to: str) -> None:
        """In the graph: the dot of the exit, then the box it leads to."""
        before = self.saved()
        self._click(self._css(f"[data-from='{place}'][data-exit='{exit_name}'] circle"))
        wait_for(self.driver, "document.querySelector('.flow-choosing') !== null")
        self._click(self._css(f"svg [data-place='{to}'] rect"))
        self.answered(before)

    def connect_by_keys(self, place: str, exit_name: str, to: str) -> None:
        """The same with Enter on each."""
        before = self.saved()
        self._css(f"[data-from='{place}'][data-exit='{exit_name}']").send_keys(Keys.ENTER)
        self._css(f"svg [data-place='{to}']").send_keys(Keys.ENTER)
        self.answered(before)

    def drag(self, place: str, x: int, y: int) -> None:
        before = self.saved()
        box = self._css(f"svg [data-place='{place}'] rect")
        self._into_view(box)
        ActionChains(self.driver).click_and_hold(box).move_by_offset(x // 2, y // 2).move_by_offset(
            x - x // 2, y - y // 2
        ).release().perform()
        self.answered(before)

    def say_new(self, zh: str, en: str, field: str = "say") -> None:
        """A text that no prompt says yet."""
        before = self.saved()
        self._open_said(field)
        for lang, text in (("zh", zh), ("en", en)):
            self._css(f"#new-{field}-{lang}").send_keys(text)
        button = self._css(f"#said-{field} [name=do][value=say_new] ~ button")
        self._into_view(button)
        button.click()
        self.answered(before)

    def say_found(self, words: str, prompt: str, field: str = "say") -> None:
        """A prompt there is, by searching."""
        before = self.saved()
        self._open_said(field)
        search = self._css(f"#q-{field}")
        self._into_view(search)
        search.clear()
        search.send_keys(words)
        wait_for(self.driver, f"document.querySelector('#found-{field} [value={prompt}]') !== null")
        button = self._css(f"#found-{field} [value={prompt}]")
        self._into_view(button)
        button.click()
        self.answered(before)

    def say_value(self, kind: str, variable: str, field: str = "say") -> None:
        before = self.saved()
        self._open_said(field)
        if variable:
            Select(self._css(f"#v-{field}")).select_by_visible_text(variable)
        Select(self._css(f"#k-{field}")).select_by_value(kind)
        button = self._css(f"#said-{field} [name=do][value=say_value] ~ button")
        self._into_view(button)
        button.click()
        self.answered(before)

    def press(self, wish: str) -> None:
        """A button of the form or the bar by what it does."""
        before = self.saved()
        button = self._css(f"button[name=do][value={wish}]")
        self._into_view(button)
        button.click()
        self.answered(before)

    def entry(self, name: str, to: str) -> None:
        """Begin there under that name; the flow itself is chosen."""
        before = self.saved()
        field = self._css("#e-new")
        self._into_view(field)
        field.send_keys(name)
        Select(self._css("#e-new-to")).select_by_value(to)
        field.send_keys(Keys.ENTER)
        self.answered(before)

    # --- what is seen ------------------------------------------------------------------------------------------------------

    def chosen(self) -> str:
        return str(self.driver.execute_script(f"return {DESK}.dataset.chosen"))

    def faults(self, place: str, field: str) -> str:
        """What the form of the place says is wrong at a field."""
        self.choose(place)
        return str(self._css(f"[data-mark='{field}']").get_attribute("textContent")).strip()

    def saved(self) -> str:
        """How often the draft was saved, as the page knows it."""
        return str(self.driver.execute_script(f"return {DESK}.dataset.saved"))

    def answered(self, before: str) -> None:
        """Until the page has drawn what came of the change."""
        wait_for(self.driver, f"{QUIET} && {DESK}.dataset.saved !== '{before}'", PATIENCE_S)

    def _css(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def _open_said(self, field: str) -> None:
        details = self._css(f"#said-{field} details")
        if details.get_attribute("open") is None:
            self._into_view(details)
            details.find_element(By.TAG_NAME, "summary").click()

    def _into_view(self, element: WebElement) -> None:
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'})", element)

    def _click(self, element: WebElement) -> None:
        self._into_view(element)
        try:
            ActionChains(self.driver).move_to_element(element).click().perform()
        except StaleElementReferenceException:
            raise AssertionError("the graph was drawn anew while somebody clicked") from None
