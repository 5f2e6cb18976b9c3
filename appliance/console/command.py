"""What a command is: its words in both languages, its arguments, the right it needs, what it does. Pure but for what a command does.

The same table serves the console and `careline …` (appliance/cli/table_commands.py).
"""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from appliance.console.errors import UsageError
from appliance.console.words import Language, say
from appliance.store.rights import Right

ARGUMENTS_MOST = 32

W = TypeVar("W")


class Report(msgspec.Struct, frozen=True):
    """What a command found or did: lines for people, `value` for programs (--json), and whether it failed."""

    lines: Sequence[str] = ()
    value: object = None
    failed: bool = False


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """A word of a command. `option`: written as --name VALUE, in any order; `flag`: --name alone. `read` turns the word into what is meant
    (raises UsageError); `choices`: what it may be, for completion and help. `rest`: all words that are left."""

    name: str
    option: bool = False
    flag: bool = False
    required: bool = True
    rest: bool = False
    default: Any = None
    read: Callable[[str], Any] = str
    choices: Sequence[str] = ()

    @property
    def shown(self) -> str:
        """In a usage line."""
        if self.flag:
            return f"[--{self.name}]"
        if self.option:
            return f"--{self.name} {self.name.upper()}" if self.required else f"[--{self.name} {self.name.upper()}]"
        word = "|".join(self.choices) if self.choices else self.name.upper()
        word += "…" if self.rest else ""
        return word if self.required else f"[{word}]"


Given = Mapping[str, Any]


class Command(msgspec.Struct, frozen=True, kw_only=True, weakref=True):
    """`name`, `zh`: one or two words each. `right` None: whoever is logged in. `sure`: asked before ("yes" in full; --yes for programs).

    The command's help is the text "command.NAME" with underscores. `only_console`: it makes no sense elsewhere.
    """

    name: str
    zh: str
    right: Right | None
    act: Callable[[Any, Given], Report]
    arguments: tuple[Argument, ...] = ()
    sure: bool = False
    only_console: bool = False

    @property
    def noun(self) -> str:
        return self.name.split(" ")[0]

    def called(self, language: Language) -> str:
        return self.name if language == "en" else self.zh

    def usage(self, language: Language) -> str:
        return " ".join((self.called(language), *(argument.shown for argument in self.arguments)))

    def help(self, language: Language) -> str:
        return say(language, "command." + self.name.replace(" ", "_").replace("-", "_"))


class Table(Generic[W]):
    """All commands. A noun alone is its first command: "spans" is "spans list"."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self.commands = tuple(commands)
        self._by_name: dict[tuple[str, ...], Command] = {}
        for command in self.commands:
            for words in (tuple(command.name.split(" ")), tuple(command.zh.split(" "))):
                self._by_name.setdefault(words[:1], command)
                self._by_name[words] = command

    def of_noun(self, noun: str) -> tuple[Command, ...]:
        return tuple(command for command in self.commands if command.noun == noun)

    @property
    def nouns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(command.noun for command in self.commands))

    def find(self, words: Sequence[str]) -> tuple[Command, list[str]]:
        """The command and the words behind it. Raises: UsageError when there is none."""
        for length in (2, 1):
            command = self._by_name.get(tuple(words[:length]))
            if command is not None and length <= len(words):
                return command, list(words[length:])
        raise UsageError("wrong.command", word=words[0])

    def completions(self, before: str, allowed: Callable[[Command], bool]) -> tuple[int, list[str]]:
        """For the line editor: what the word that is being written may become."""
        begin = before.rfind(" ") + 1
        words, begun = before[:begin].split(), before[begin:]
        try:
            command, rest = self.find(words) if words else (None, [])
        except UsageError:
            command, rest = None, words
        found = {name.split(" ")[len(words)] for name in self._names(allowed) if _continues(name.split(" "), words)}
        if command is not None and allowed(command) and len(words) >= len(command.name.split(" ")):
            found |= set(_words_for(command, rest))
        return begin, sorted(word for word in found if word.startswith(begun))

    def _names(self, allowed: Callable[[Command], bool]) -> list[str]:
        return [name for command in self.commands if allowed(command) for name in (command.name, command.zh)]


def words_of(line: str) -> list[str]:
    """The words of a line, quoted as in a shell. Raises: UsageError."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError("wrong.quotes") from error
    if len(words) > ARGUMENTS_MOST:
        raise UsageError("wrong.many")
    return words


def given(command: Command, words: Sequence[str]) -> Given:
    """The words as the command's arguments. Raises: UsageError."""
    found: dict[str, Any] = {}
    options = {f"--{argument.name}": argument for argument in command.arguments if argument.option or argument.flag}
    places = [argument for argument in command.arguments if not (argument.option or argument.flag)]
    left = list(words)
    while left:
        word = left.pop(0)
        if (option := options.get(word)) is not None:
            found[option.name] = True if option.flag else _read(option, _next(left, word))
        elif word.startswith("--") and len(word) > 2:
            raise UsageError("wrong.option", word=word)
        elif not places:
            raise UsageError("wrong.extra", word=word)
        else:
            place = places[0] if places[0].rest else places.pop(0)
            found[place.name] = [*found.get(place.name, []), _read(place, word)] if place.rest else _read(place, word)
    return _completed(command, found)


def _completed(command: Command, found: dict[str, Any]) -> Given:
    for argument in command.arguments:
        if argument.name not in found:
            if argument.required and not argument.flag:
                raise UsageError("wrong.missing", name=argument.shown)
            found[argument.name] = False if argument.flag else argument.default
    return found


def _next(left: list[str], option: str) -> str:
    if not left:
        raise UsageError("wrong.missing", name=option)
    return left.pop(0)


def _read(argument: Argument, word: str) -> Any:
    if argument.choices and word not in argument.choices:
        raise UsageError("wrong.choice", word=word, choices=", ".join(argument.choices))
    return argument.read(word)


def _continues(name: Sequence[str], words: Sequence[str]) -> bool:
    return len(name) > len(words) and list(name[: len(words)]) == list(words)


def _words_for(command: Command, rest: Sequence[str]) -> list[str]:
    """What may stand next behind a command: a choice of the argument whose turn it is, and the options that are not there yet."""
    if rest and rest[-1] in (f"--{argument.name}" for argument in command.arguments if argument.option):
        option = next(argument for argument in command.arguments if f"--{argument.name}" == rest[-1])
        return list(option.choices)
    places = [argument for argument in command.arguments if not (argument.option or argument.flag)]
    written = len([word for word in rest if not word.startswith("--")])
    turn = places[written : written + 1] or [place for place in places[-1:] if place.rest]
    options = [
        f"--{argument.name}" for argument in command.arguments if (argument.option or argument.flag) and f"--{argument.name}" not in rest
    ]
    return [*(choice for place in turn for choice in place.choices), *options]


def number(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number within limits."""

    def read(word: str) -> int:
        if not (word.isascii() and word.isdecimal()) or not least <= int(word[:12]) <= most:
            raise UsageError("wrong.number", word=word, least=least, most=most)
        return int(word)

    return read
