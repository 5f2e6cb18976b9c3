"""One session at a line: greeting, log-in, and commands until log-out, silence or hang-up. Runs in one thread (Terminal's)."""

import logging
from pathlib import Path

from appliance.config import Config
from appliance.console.command import Argument, Command, Given, Report, Table, given, words_of
from appliance.console.commands import TABLE
from appliance.console.commands.accounts import new_password
from appliance.console.commands.alarms import alarm_line
from appliance.console.errors import EndOfInput, HungUp, Idle, Interrupted, LoggedOut, TooMany, UsageError
from appliance.console.gate import Gate, Person
from appliance.console.login import Login
from appliance.console.table import table
from appliance.console.terminal import Terminal
from appliance.console.width import wrapped
from appliance.console.words import LANGUAGES, Language, language_of
from appliance.console.work import Work
from appliance.store.rights import Right
from appliance.system.services.messages import ResetPassword
from drivers.errors import CarelineError

HISTORY_MOST = 100

log = logging.getLogger("careline.console")


class Session:
    """One line from log-in to log-out."""

    def __init__(self, config: Config, file: Path, terminal: Terminal) -> None:
        self._config, self._file, self.terminal = config, file, terminal
        self._gate = Gate(config, terminal.clock, terminal.line.name)
        self._history: list[str] = []
        self._alarms_told: set[int] = set()
        self._table: Table[Work] = Table((*TABLE.commands, *self._built_in()))
        self._person = Person(name="", role="", language="zh")
        self._work = self._work_of("")

    def run(self) -> None:
        """Until it is over, however. Never raises."""
        try:
            self._person = Login(self.terminal, self._gate).person()
            self.use_language(language_of(self._person.language))
            self._work = self._work_of(self._person.name)
            self._welcome()
            while True:
                self._turn()
        except LoggedOut:
            log.info("%s logged out at %s", self._person.name, self.terminal.line.name)
        except Idle:
            self._bye("shell.idle")
        except HungUp as error:
            log.info("%s hung up (%s)", self.terminal.line.name, error)
        except TooMany:
            log.warning("too many wrong passwords at %s", self.terminal.line.name)

    def _bye(self, key: str) -> None:
        try:
            self.terminal.tell(["", self.terminal.say(key)])
        except HungUp:
            log.info("%s hung up", self.terminal.line.name)

    def _work_of(self, name: str) -> Work:
        work = Work(self._config, self._file, self.terminal, self.terminal.clock, by=f"console:{name}", language=self.terminal.language)
        work.prove = self._is_still_here
        return work

    def _is_still_here(self) -> bool:
        """Asks for the password; wrong ones count."""
        password = self.terminal.ask(self.terminal.say("login.current"), secret=True)
        sign_in = self._gate.sign_in_spare if self._person.spare else self._gate.sign_in
        return self.terminal.waited(lambda: sign_in(self._person.name, password), 60.0) is not None

    def _welcome(self) -> None:
        person = self._person
        terminal = self.terminal
        terminal.tell(["", terminal.say("login.welcome", name=person.name, role=self._work.word("account_role", person.role))])
        if person.spare:
            terminal.tell([terminal.say("login.is_spare")])
        terminal.tell([terminal.say("shell.hint"), ""])

    # --- one command

    def _turn(self) -> None:
        """Raises: LoggedOut, Idle, HungUp."""
        self._tell_alarms()
        try:
            line = self.terminal.ask(f"{self._person.name}> ", history=self._history, complete=self._complete).strip()
            if line:
                self._remember(line)
                self.do(line)
        except Interrupted:
            return
        except EndOfInput:
            raise LoggedOut from None

    def _tell_alarms(self) -> None:
        """Those that are new since the last prompt. A store that cannot be read is told by the commands that need it."""
        if not self._person.may(Right.SEE_ALARMS):
            return
        try:
            found = self.terminal.waited(lambda: self._gate.new_alarms(self._alarms_told), 60.0)
        except (CarelineError, Interrupted):
            return
        self._alarms_told |= {alarm.id for alarm in found}
        self.terminal.tell(alarm_line(self._work, alarm) for alarm in found)

    def do(self, line: str) -> None:
        """Carry out a line; whatever goes wrong is told. Raises: LoggedOut, Idle, HungUp."""
        try:
            words = words_of(line)
            command, rest = self._table.find(words)
            self._carry_out(command, given(command, rest))
        except UsageError as wrong:
            self.terminal.tell([self.terminal.say(wrong.key, **wrong.values), self.terminal.say("shell.see_help")])
        except CarelineError as error:
            self.terminal.tell(fault_lines(self._work, error))
        except Interrupted:
            self.terminal.tell([self.terminal.say("shell.interrupted")])
        except Exception:  # the outer border of a control command
            log.exception("SYS-034: the command %r failed", line.split(" ")[0])
            self.terminal.tell([self.terminal.say("shell.internal")])

    def _carry_out(self, command: Command, values: Given) -> None:
        terminal = self.terminal
        if not terminal.waited(lambda: self._gate.still(self._person), 60.0):
            terminal.tell([terminal.say("shell.ended")])
            raise LoggedOut
        if not self._person.may(command.right):
            terminal.tell([terminal.say("shell.no_right")])
        elif not command.sure or terminal.agrees(terminal.say("shell.sure", what=command.help(terminal.language))):
            terminal.page(list(command.act(self._work, values).lines))
        else:
            terminal.tell([terminal.say("shell.not_done")])

    def _remember(self, line: str) -> None:
        if self._history[-1:] != [line]:
            self._history = [*self._history, line][-HISTORY_MOST:]

    def _complete(self, before: str) -> tuple[int, list[str]]:
        return self._table.completions(before, self._offers)

    def _offers(self, command: Command) -> bool:
        return self._person.may(command.right)

    # --- commands of the session itself

    def _built_in(self) -> tuple[Command, ...]:
        return (
            Command(
                name="help",
                zh="帮助",
                right=None,
                act=self._help,
                arguments=(Argument(name="word", rest=True, required=False, default=()),),
                only_console=True,
            ),
            Command(
                name="language",
                zh="语言",
                right=None,
                act=self._language,
                arguments=(Argument(name="to", choices=LANGUAGES),),
                only_console=True,
            ),
            Command(name="history", zh="历史", right=None, act=self._show_history, only_console=True),
            Command(name="password", zh="密码", right=None, act=self._change_password, only_console=True),
            Command(name="exit", zh="退出", right=None, act=self._exit, only_console=True),
        )

    def _help(self, work: Work, values: Given) -> Report:
        """All commands this person may use, or those that begin so, with all about them."""
        begun = " ".join(values["word"])
        found = [each for each in self._table.commands if self._offers(each) and (each.name.startswith(begun) or each.zh.startswith(begun))]
        if not found:
            raise UsageError("wrong.command", word=begun)
        if not begun:
            rows = [(each.called(work.language), each.help(work.language)) for each in found]
            return Report(
                [*table(work.heads("help", "command", "what"), rows, work.columns), *wrapped(work.say("help.more"), work.columns - 1)]
            )
        return Report([line for each in found for line in _explained(work, each)])

    def _language(self, work: Work, values: Given) -> Report:
        self.use_language(values["to"])
        return Report([self.terminal.say("shell.language")])

    def use_language(self, language: Language) -> None:
        self.terminal.language = language
        self._work.language = language

    def _show_history(self, work: Work, values: Given) -> Report:
        return Report([f"{number:3d}  {line}" for number, line in enumerate(self._history, 1)])

    def _change_password(self, work: Work, values: Given) -> Report:
        """One's own. The session goes on, the account's others end."""
        if not work.prove():
            return Report([work.say("login.refused")], failed=True)
        password_hash = new_password(work, self._person.name)
        work.long(ResetPassword(name=self._person.name, password_hash=password_hash, by=work.by))
        self.terminal.tell([work.say("shell.password_changed")])
        raise LoggedOut

    def _exit(self, work: Work, values: Given) -> Report:
        raise LoggedOut


def fault_lines(work: Work, error: CarelineError) -> list[str]:
    """Code, meaning in the person's language where there is one, then the fault's own words."""
    meaning = work.word("code", error.code)
    head = f"{error.code}: {meaning}" if meaning != error.code else f"{error.code}: {error.what}"
    rest = [error.what] if meaning != error.code else []
    return [part for text in (head, *rest, error.remedy) for part in wrapped(text, work.columns - 1)]


def _explained(work: Work, command: Command) -> list[str]:
    other = command.zh if work.language == "en" else command.name
    return [
        *wrapped(f"{command.usage(work.language)}    ({other})", work.columns - 1),
        *(f"    {line}" for line in wrapped(command.help(work.language), work.columns - 6)),
    ]
