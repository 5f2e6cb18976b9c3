"""Runs a flow for a call: one function per kind of node, each giving the name of the exit it takes.

A node function is run again from its start after a crash; it may decide by the results of the call's verbs only
(appliance/call/tag.py says why). Runs in the call's task.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from appliance.call import Call
from appliance.call.outcome import Taken, Transferred
from appliance.ivr.flow import (
    OPENING_HOURS,
    REFERENCE,
    AnyNode,
    ChooseLanguage,
    Flow,
    HangUp,
    LeaveMessage,
    Menu,
    Operator,
    Say,
)


class FlowRunner:
    """`opening_hours(language)` and `digits(text, language)` give the prompt ids that say them."""

    def __init__(
        self,
        flow: Flow,
        opening_hours: Callable[[Any], Sequence[str]],
        digits: Callable[[str, Any], Sequence[str]],
    ) -> None:
        self.flow = flow
        self._opening_hours = opening_hours
        self._digits = digits

    async def __call__(self, call: Call) -> None:
        """The script of a call: answer it, then walk from place to place until a HangUp."""
        if not call.tag.place:
            await call.answer()
            call.enter(self.flow.entries[call.tag.service])
        elif call.tag.place not in self.flow.places:  # a flow of another version
            call.enter(self.flow.entries[call.tag.service])
        place: str | None = call.tag.place
        while place is not None:
            place = await self._visit(call, place)

    async def _visit(self, call: Call, place: str) -> str | None:
        """Do what the place says; the next place, entered, or None at the end."""
        node = self.flow.places[place]
        exit_name = await RUN[type(node)](self, call, node)
        if exit_name is None:
            return None
        call.enter(node.exits[exit_name])
        return call.tag.place

    def _spoken(self, call: Call, prompts: Sequence[str]) -> list[str]:
        """Prompt ids with the spoken values in their place."""
        said: list[str] = []
        for prompt in prompts:
            if prompt == OPENING_HOURS:
                said += self._opening_hours(call.tag.language)
            elif prompt == REFERENCE:
                said += self._digits(call.reference, call.tag.language)
            else:
                said.append(prompt)
        return said

    async def _say(self, call: Call, node: Say) -> str:
        await call.say(self._spoken(call, node.prompts), node.barge_in)
        return "done"

    async def _menu(self, call: Call, node: Menu) -> str:
        exits = dict(node.keys)
        problem = ""
        last = "silent"
        for _ in range(call.config.attempts):
            await call.say([problem, *node.prompts] if problem else node.prompts)
            key = await self._key(call, node)
            if key in exits:
                return exits[key]
            if key:
                await call.refuse_key(key)
            problem, last = (node.invalid, "too_many") if key else (node.no_input, "silent")
        return last

    async def _key(self, call: Call, node: Menu) -> str:
        """One key, or nothing after asking whether somebody is there."""
        asked = await call.ask_digits(1, call.config.first_key_ms)
        if asked.keys:
            return asked.keys
        await call.say([node.still_there])
        return (await call.ask_digits(1, call.config.still_there_ms)).keys

    async def _choose_language(self, call: Call, node: ChooseLanguage) -> str:
        await call.next_language(node.languages)
        return "done"

    async def _leave_message(self, call: Call, node: LeaveMessage) -> str:
        config = call.config
        for _ in range(config.message_attempts):
            await call.say(node.instruction, barge_in=False)
            taken = await call.record_message(config.message_max_ms, config.message_silence_ms, config.message_min_ms)
            if taken is Taken.FAILED:
                await call.say([node.unavailable])
                return "unavailable"
            if taken in (Taken.SAVED, Taken.LIMIT):
                limit = [node.limit] if taken is Taken.LIMIT else []
                await call.say([*limit, *self._spoken(call, node.saved)], barge_in=False)
                return "saved"
            await call.say([node.empty if taken is Taken.EMPTY else node.too_short], barge_in=False)
        return "given_up"

    async def _operator(self, call: Call, node: Operator) -> str:
        await call.say(node.prompts, barge_in=False)
        transferred = await call.transfer(call.config.operator)
        return TRANSFER_EXITS.get(transferred, "failed")

    async def _hang_up(self, call: Call, node: HangUp) -> None:
        await call.say(node.prompts, barge_in=False)


TRANSFER_EXITS = {
    Transferred.ANSWERED: "ended",
    Transferred.BUSY: "busy",
    Transferred.NO_CHANNEL: "busy",
    Transferred.NO_ANSWER: "no_answer",
}

RUN: dict[type[AnyNode], Callable[[FlowRunner, Call, Any], Awaitable[str | None]]] = {
    Say: FlowRunner._say,
    Menu: FlowRunner._menu,
    ChooseLanguage: FlowRunner._choose_language,
    LeaveMessage: FlowRunner._leave_message,
    Operator: FlowRunner._operator,
    HangUp: FlowRunner._hang_up,
}
"""What each kind of node does."""
