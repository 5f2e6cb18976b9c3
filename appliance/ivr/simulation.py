"""Walks a flow on paper, for the flow page: place by place what would be said, what could be answered, which exit is taken. Pure.

An answer is what the caller keys ("1", "12#", "" for silence) at a node that takes keys, and the name of an exit at any other node that has
more than one: an action, a transfer, the time of day. A walk that runs out of answers stands at the place that waits for the next one.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import msgspec

from appliance.calendar import CalendarConfig
from appliance.ivr import values
from appliance.ivr.actions import ACTIONS, Action, Value
from appliance.ivr.choosing import holds
from appliance.ivr.flow import PERSON, Flow, FlowSet, Position, full_name
from appliance.ivr.hours import opening_hours
from appliance.ivr.nodes import (
    PERSON_KEY,
    Act,
    AnyNode,
    AskDigits,
    AskYesNo,
    Branch,
    Case,
    HangUp,
    Keyed,
    Language,
    Menu,
    Node,
    Return,
    Say,
    SubFlow,
)
from appliance.ivr.prompts.catalogue import Lang
from drivers.errors import CarelineError

TRIES = 3
PLACES_LIMIT = 1_000
FREE = "text:"  # no prompt's id has a colon
AGAIN = ""
"""Instead of an exit: the same is asked once more."""

TextOf = Callable[[str, Lang], str]


class Choice(msgspec.Struct, frozen=True):
    """An answer that is possible, the exit it takes and where that leads."""

    answer: str
    exit: str
    to: str


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a walk. `said`: texts, values as they would be read. `exit` is empty where it is asked again, or is not left yet."""

    place: str
    kind: str
    said: tuple[str, ...]
    choices: tuple[Choice, ...] = ()
    answer: str | None = None
    exit: str = ""


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """`is_over`: the call has ended; otherwise the last stop waits for an answer (its `choices`), or refused one (`refused`)."""

    stops: tuple[Stop, ...]
    variables: dict[str, Value]
    language: Lang
    is_over: bool
    refused: str = ""


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Of some walks together: place and exit of all there are, and those not yet seen."""

    places: int
    exits: int
    unseen_places: tuple[str, ...]
    unseen_exits: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Surroundings:
    """What a real call would have of the box. `text_of`: a prompt as written; raises CarelineError for one that is not there.

    `samples`: what actions and questions give, by variable. Free text stands for itself.
    """

    text_of: TextOf
    calendar: CalendarConfig
    today: date
    samples: Mapping[str, Value] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=lambda: ACTIONS)

    def spoken(self, variables: Mapping[str, Value], lang: Lang) -> values.Spoken:
        """What values are said by."""
        return values.Spoken(
            variables=variables,
            lang=lang,
            today=self.today,
            opening_hours=lambda lang: opening_hours(self.calendar, lang),
            text=lambda text, _: (f"{FREE}{text}",),
            reference="1001",
        )

    def text(self, clip: str, lang: Lang) -> str:
        """A clip as written."""
        return clip.removeprefix(FREE) if clip.startswith(FREE) else self.text_of(clip, lang)


def simulate(
    flows: FlowSet,
    service: str,
    answers: Sequence[str],
    around: Surroundings,
    lang: Lang = "zh",
    variables: Mapping[str, Value] | None = None,
) -> Walk:
    """A call of that service (or entry of any flow) with these answers, one after the other. `variables`: what is known already.

    Raises: FlowError APP-141 when no flow has it.
    """
    known = {"ani": "", "dnis": "", **(variables or {})}
    return _Walking(flows, around, list(answers), lang, known).walk(flows.entry(service))


def coverage(flows: FlowSet, walks: Iterable[Walk], names: Iterable[str] | None = None) -> Coverage:
    """How much of these flows (all, unless `names` says which) the walks have seen."""
    seen = {(stop.place, stop.exit) for walk in walks for stop in walk.stops}
    there = [(place, node) for place, node in _nodes(flows, names)]
    exits = [(place, exit_name) for place, ways in there for exit_name in ways]
    unseen = [place for place, _ in there if place not in {place for place, _ in seen}]
    return Coverage(
        places=len(there), exits=len(exits), unseen_places=tuple(unseen), unseen_exits=tuple(pair for pair in exits if pair not in seen)
    )


def _nodes(flows: FlowSet, names: Iterable[str] | None) -> list[tuple[str, list[str]]]:
    """Places and the exits a walk can take there; a sub-flow's are its own returns'."""
    wanted = set(flows.flows if names is None else names)
    return [
        (full_name(flow.flow, place), [] if isinstance(node, SubFlow) else list(flow.ways(place)))
        for flow in flows.flows.values()
        for place, node in flow.places.items()
        if flow.flow in wanted
    ]


class _Walking:
    def __init__(self, flows: FlowSet, around: Surroundings, answers: list[str], lang: Lang, known: dict[str, Value]) -> None:
        self._flows = flows
        self._around = around
        self._answers = answers
        self._lang = lang
        self._variables = known
        self._stops: list[Stop] = []
        self._wrong = 0

    def walk(self, at: Position) -> Walk:
        refused = ""
        while at.place and not refused and len(self._stops) < PLACES_LIMIT:
            flow, node = self._flows.at(at.place)
            exit_name, refused, waits = self._visit(flow, node, at.place)
            if waits:
                return self._done(is_over=False)
            if isinstance(node, HangUp):
                return self._done(is_over=True)
            if exit_name != AGAIN or isinstance(node, SubFlow | Return):
                self._wrong = 0
                at = self._flows.after(at, exit_name) if not refused else at
        return self._done(is_over=not at.place, refused=refused)

    def _done(self, is_over: bool, refused: str = "") -> Walk:
        return Walk(stops=tuple(self._stops), variables=self._variables, language=self._lang, is_over=is_over, refused=refused)

    def _visit(self, flow: Flow, node: AnyNode, place: str) -> tuple[str, str, bool]:
        """Exit, the answer that was refused, and whether one is waited for."""
        said, choices = self._said(node), self._choices(flow, node)
        stop = Stop(place=place, kind=str(node.__struct_config__.tag), said=said, choices=choices)
        alone = self._alone(node)
        if alone is not None:
            self._stops.append(msgspec.structs.replace(stop, exit=alone))
            return alone, "", False
        if not self._answers:
            self._stops.append(stop)
            return AGAIN, "", True
        answer = self._answers.pop(0)
        exit_name = self._taken(flow, node, answer)
        self._stops.append(msgspec.structs.replace(stop, answer=answer, exit=exit_name or AGAIN))
        if exit_name is None:
            return AGAIN, answer or "?", False
        self._set(node, exit_name, answer)
        return exit_name, "", False

    # --- what is said ------------------------------------------------------------------------------------------------

    def _said(self, node: AnyNode) -> tuple[str, ...]:
        written: tuple[str, ...] = getattr(node, "say", ()) or getattr(node, "instruction", ())
        if self._wrong and isinstance(node, Keyed):
            written = (*node.invalid, *written)
        return tuple(self._text(each) for each in written)

    def _text(self, written: str) -> str:
        found, faults = values.clips([written], self._around.spoken(self._variables, self._lang))
        if faults or not found:
            return written
        try:
            return ("" if self._lang == "zh" else " ").join(self._around.text(clip, self._lang) for clip in found)
        except CarelineError:  # a prompt that is not there is for the checker to tell
            return written

    # --- what can be answered ------------------------------------------------------------------------------------------

    def _choices(self, flow: Flow, node: AnyNode) -> tuple[Choice, ...]:
        ways = dict(node.exits)
        person = flow.person_at(node)
        keys = {**_keys(node), **({PERSON_KEY: PERSON} if person else {})}
        if isinstance(node, Keyed):
            named = [Choice(key, exit_name, ways.get(exit_name, person)) for key, exit_name in keys.items()]
            return (*named, *(Choice("", name, ways[name]) for name in ("silent",) if name in ways))
        return tuple(Choice(name, name, to) for name, to in ways.items()) if len(ways) > 1 else ()

    def _alone(self, node: AnyNode) -> str | None:
        """The exit of a node that asks for no answer."""
        match node:
            case Branch():
                return next((case.exit for case in node.cases if self._holds(case)), "otherwise")
            case Language():
                place = node.languages.index(self._lang) if self._lang in node.languages else -1
                self._lang = node.to or node.languages[(place + 1) % len(node.languages)]
                return "done"
            case Say():
                return None if "cut" in node.exits else "done"
            case SubFlow() | HangUp():
                return AGAIN
            case Return():
                return node.exit
            case _:
                return None

    def _holds(self, case: Case) -> bool:
        try:
            return holds(case, self._variables)
        except (ValueError, KeyError):
            return False

    def _taken(self, flow: Flow, node: AnyNode, answer: str) -> str | None:
        """The exit, AGAIN, or None for an answer that makes no sense here."""
        if not isinstance(node, Keyed):
            return answer if answer in node.exits else None
        if isinstance(node, AskDigits):
            return self._digits(flow, node, answer)
        keys = {**_keys(node), **({PERSON_KEY: PERSON} if flow.person_at(node) else {})}
        return keys.get(answer[:1]) or self._once_more(node, "too_many" if answer else "silent")

    def _digits(self, flow: Flow, node: AskDigits, answer: str) -> str:
        typed, ended = re.fullmatch(r"([^#*]*)([#*]?).*", answer, re.DOTALL).groups()  # type: ignore[union-attr]  # it matches anything
        if typed == PERSON_KEY and flow.person_at(node):
            return PERSON
        if ended == "*":
            return "back" if not typed and "back" in node.exits else AGAIN
        if ended and not typed and "none" in node.exits:
            return "none"
        if not typed and not ended:
            return self._once_more(node, "silent")
        if node.min <= len(typed) <= node.max and (not node.pattern or re.fullmatch(node.pattern, typed)):
            return "got"
        return self._once_more(node, "too_many")

    def _once_more(self, node: Keyed, last: str) -> str:
        self._wrong += 1
        return last if self._wrong >= (node.tries or TRIES) else AGAIN

    def _set(self, node: AnyNode, exit_name: str, answer: str) -> None:
        if isinstance(node, AskDigits) and exit_name == "got" and node.variable:
            self._variables[node.variable] = answer.rstrip("#")
        elif isinstance(node, Act) and node.action in self._around.actions:
            for name in self._around.actions[node.action].all_exits().get(exit_name, ()):
                own = node.outputs.get(name, name)
                self._variables[own] = self._around.samples.get(own, f"‹{own}›")
        elif isinstance(node, Node):
            for name in node.sets(exit_name):
                self._variables[name] = self._around.samples.get(name, f"‹{name}›")


def _keys(node: AnyNode) -> dict[str, str]:
    match node:
        case Menu():
            return {str(key): exit_name for key, exit_name in node.keys.items()}
        case AskYesNo():
            return {str(node.yes): "yes", str(node.no): "no"}
        case _:
            return {}
