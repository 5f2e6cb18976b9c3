"""Logging in at a line: name and password, slowed after each wrong one; the first administrator of a box that has no account."""

from appliance.console.errors import EndOfInput, Interrupted, TooMany
from appliance.console.gate import NOBODY, Gate, Person
from appliance.console.terminal import Terminal
from appliance.console.words import language_of
from drivers.errors import CarelineError

PASSWORD_LIMIT_S = 60.0
NAME_LIMIT_S = 300.0
DELAY_MOST_S = 16.0
HASHING_LIMIT_S = 60.0


class Login:
    """One line's log-in. Raises from `person`: HungUp, Idle (nobody there), TooMany."""

    def __init__(self, terminal: Terminal, gate: Gate) -> None:
        self._terminal, self._gate = terminal, gate
        self._failures = 0

    def person(self) -> Person:
        while True:
            try:
                found = self._tried()
            except (Interrupted, EndOfInput):
                continue
            if found is not None:
                return found

    def _tried(self) -> Person | None:
        try:
            if self._terminal.waited(self._gate.is_first_run, HASHING_LIMIT_S):
                return self._first()
        except CarelineError as error:
            return self._without_store(error)
        name, password = self._asked()
        try:
            found = self._terminal.waited(lambda: self._gate.sign_in(name, password), HASHING_LIMIT_S)
        except CarelineError as error:
            self._tell_fault(error)
            return None
        if found is None:
            self._refuse()
        return found

    def _asked(self) -> tuple[str, str]:
        name = ""
        while not name:
            name = self._terminal.ask(self._terminal.say("login.name"), limit_s=NAME_LIMIT_S).strip()
        return name, self._terminal.ask(self._terminal.say("login.password"), secret=True, limit_s=PASSWORD_LIMIT_S)

    def _refuse(self) -> None:
        """Says nothing of why, waits longer each time, and forgets what was typed meanwhile."""
        self._failures += 1
        terminal = self._terminal
        terminal.tell([terminal.say("login.refused")])
        self._wait(min(2.0 ** (self._failures - 1), DELAY_MOST_S))
        if self._failures >= self._gate.rules.lock_after_failures:
            terminal.tell([terminal.say("login.too_many")])
            raise TooMany

    def _wait(self, wait_s: float) -> None:
        """Whatever key is pressed."""
        until_s = self._terminal.clock.monotonic_s() + wait_s
        while (left_s := until_s - self._terminal.clock.monotonic_s()) > 0:
            try:
                self._terminal.pause(left_s)
            except Interrupted:
                continue
        self._terminal.drop_input()

    # --- the first administrator, and a box whose store cannot be read

    def _first(self) -> Person | None:
        """Everything is asked before anything is done; Ctrl-C leaves no account."""
        terminal = self._terminal
        terminal.tell(["", *terminal.say("login.first").splitlines()])
        language = terminal.ask(terminal.say("login.language")).strip().lower()
        terminal.language = language_of("en" if language.startswith("e") else "zh")
        name = terminal.ask(terminal.say("login.first_name")).strip()
        if fault := terminal.waited(lambda: self._gate.name_fault(name), HASHING_LIMIT_S):
            terminal.tell([terminal.say(fault)])
            return None
        password = terminal.ask(terminal.say("login.new_password"), secret=True)
        again = terminal.ask(terminal.say("login.again"), secret=True)
        if fault := _password_fault(password, again, name):
            terminal.tell([terminal.say(fault)])
            return None
        return terminal.waited(lambda: self._gate.create_first(name, password, terminal.language), HASHING_LIMIT_S)

    def _without_store(self, error: CarelineError) -> Person | None:
        """The copy of accounts; or, on a box that nobody has ever used, whoever is at the cable."""
        terminal = self._terminal
        self._tell_fault(error)
        if self._gate.was_never_used():
            terminal.ask(terminal.say("login.unused"), limit_s=NAME_LIMIT_S)
            return Person(name=NOBODY, role="technician", language=terminal.language, spare=True)
        terminal.tell([terminal.say("login.spare")])
        name, password = self._asked()
        found = terminal.waited(lambda: self._gate.sign_in_spare(name, password), HASHING_LIMIT_S)
        if found is None:
            self._refuse()
        return found

    def _tell_fault(self, error: CarelineError) -> None:
        self._terminal.tell([f"{error.code}: {error.what}", f"  {error.remedy}"])


def _password_fault(password: str, again: str, name: str) -> str | None:
    from appliance.store.accounts import password_fault

    return password_fault(password, again, name)
