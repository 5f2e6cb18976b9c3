"""A flow as data: nodes with named exits, and the one checker that lets no caller be left nowhere. Pure.

A prompt is an id of the prompt library, or a value spoken for this call: "@opening_hours", "@reference".
"""

from collections.abc import Callable, Mapping
from typing import ClassVar

import msgspec

from appliance.errors import FlowError
from appliance.ivr.prompts.catalogue import Lang

KEYS = "0123456789*#"
OPENING_HOURS = "@opening_hours"
REFERENCE = "@reference"
SPOKEN_VALUES = frozenset({OPENING_HOURS, REFERENCE})


PromptIds = Callable[[Lang], frozenset[str]]


class Node(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of nodes. `exits`: name of the way out to the place it leads to."""

    NEEDS: ClassVar[tuple[str, ...]] = ()
    exits: dict[str, str] = {}

    def says(self) -> tuple[str, ...]:
        """Every prompt this node may say."""
        return ()

    def needs(self) -> tuple[str, ...]:
        """Names of the exits it may take."""
        return self.NEEDS


class Say(Node, frozen=True, kw_only=True):
    """Say something. Exit: done."""

    NEEDS: ClassVar[tuple[str, ...]] = ("done",)
    prompts: tuple[str, ...]
    barge_in: bool = True

    def says(self) -> tuple[str, ...]:
        return self.prompts


class Menu(Node, frozen=True, kw_only=True):
    """Say the choices and take one key. `keys`: key to name of exit, written as (key, exit) rows.

    Exits: those of the keys; too_many (wrong keys), silent (no key), both after the configured number of tries.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("too_many", "silent")
    prompts: tuple[str, ...]
    keys: tuple[tuple[str, str], ...]
    invalid: str = "invalid_key"
    no_input: str = "no_input"
    still_there: str = "still_there"

    def says(self) -> tuple[str, ...]:
        return (*self.prompts, self.invalid, self.no_input, self.still_there)

    def needs(self) -> tuple[str, ...]:
        return (*dict.fromkeys(exit_name for _, exit_name in self.keys), *self.NEEDS)


class ChooseLanguage(Node, frozen=True, kw_only=True):
    """Speak the language after the present one from now on. Exit: done."""

    NEEDS: ClassVar[tuple[str, ...]] = ("done",)
    languages: tuple[str, ...] = ("zh", "en")


class LeaveMessage(Node, frozen=True, kw_only=True):
    """Take a message and say its number. Exits: saved, given_up (nothing worth keeping after the tries), unavailable."""

    NEEDS: ClassVar[tuple[str, ...]] = ("saved", "given_up", "unavailable")
    instruction: tuple[str, ...] = ("message_instruction", "beep")
    saved: tuple[str, ...] = ("message_saved", "message_number_is", REFERENCE)
    limit: str = "message_limit"
    too_short: str = "message_too_short"
    empty: str = "message_empty"
    unavailable: str = "message_unavailable"

    def says(self) -> tuple[str, ...]:
        return (*self.instruction, *self.saved, self.limit, self.too_short, self.empty, self.unavailable)


class Operator(Node, frozen=True, kw_only=True):
    """Transfer the caller to the operator. Exits: ended (they talked), busy (or no channel free), no_answer, failed."""

    NEEDS: ClassVar[tuple[str, ...]] = ("ended", "busy", "no_answer", "failed")
    prompts: tuple[str, ...] = ("transferring",)

    def says(self) -> tuple[str, ...]:
        return self.prompts


class HangUp(Node, frozen=True, kw_only=True):
    """Say goodbye and release. No exit."""

    prompts: tuple[str, ...] = ()

    def says(self) -> tuple[str, ...]:
        return self.prompts


AnyNode = Say | Menu | ChooseLanguage | LeaveMessage | Operator | HangUp


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Places by name. `entries`: name of a service to the place where it begins."""

    name: str
    entries: dict[str, str]
    places: dict[str, AnyNode]


def faults(flow: Flow, prompt_ids: PromptIds, languages: tuple[Lang, ...]) -> list[FlowError]:
    """Everything that is wrong with a flow; empty when a caller can get lost nowhere.

    `prompt_ids(language)` are the prompts there are.
    """
    found: list[FlowError] = []
    for service, place in flow.entries.items():
        if place not in flow.places:
            found.append(_fault(flow, f"service {service} begins at {place!r}, which does not exist"))
    for place, node in flow.places.items():
        found += [_fault(flow, f"at {place}: {what}") for what in _wrong_at(node, flow.places)]
        found += [_fault(flow, f"at {place}: {what}") for what in _unsaid(node, prompt_ids, languages)]
    found += [_fault(flow, f"no caller can get to {place}") for place in _unreached(flow)]
    found += [_fault(flow, f"from {place} no way leads to an end") for place in _endless(flow)]
    return found


def _fault(flow: Flow, what: str) -> FlowError:
    return FlowError("APP-010", f"flow {flow.name}: {what}", "Correct the flow; `careline check` shows all faults")


def _wrong_at(node: AnyNode, places: Mapping[str, AnyNode]) -> list[str]:
    needs = node.needs()
    wrong = [f"exit {name} leads nowhere" for name in needs if name not in node.exits]
    wrong += [f"exit {name} is never taken" for name in node.exits if name not in needs]
    wrong += [f"exit {name} leads to {to!r}, which does not exist" for name, to in node.exits.items() if to not in places]
    return wrong + _wrong_keys(node)


def _wrong_keys(node: AnyNode) -> list[str]:
    if not isinstance(node, Menu):
        return []
    keys = [key for key, _ in node.keys]
    wrong = [f"{key!r} is no key" for key in keys if len(key) != 1 or key not in KEYS]
    return wrong + [f"key {key} is used twice" for key in sorted({key for key in keys if keys.count(key) > 1})]


def _unsaid(node: AnyNode, prompt_ids: PromptIds, languages: tuple[Lang, ...]) -> list[str]:
    wanted = dict.fromkeys(prompt for prompt in node.says() if prompt not in SPOKEN_VALUES)
    return [
        f"there is no prompt {prompt!r} in language {language}"
        for language in languages
        for prompt in wanted
        if prompt not in prompt_ids(language)
    ]


def _unreached(flow: Flow) -> list[str]:
    reached: set[str] = set()
    todo = [place for place in flow.entries.values() if place in flow.places]
    while todo:
        place = todo.pop()
        if place not in reached:
            reached.add(place)
            todo += [to for to in flow.places[place].exits.values() if to in flow.places]
    return [place for place in flow.places if place not in reached]


def _endless(flow: Flow) -> list[str]:
    """Places from which no HangUp can be reached."""
    ending = {place for place, node in flow.places.items() if isinstance(node, HangUp)}
    while more := {place for place, node in flow.places.items() if place not in ending and ending & set(node.exits.values())}:
        ending |= more
    return [place for place in flow.places if place not in ending]
