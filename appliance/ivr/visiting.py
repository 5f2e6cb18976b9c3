"""What is done at a place: one function per kind of node, each giving the exit it takes and the variables it sets.

A function is run again from its start after a crash; it may decide by the results of the call's verbs and by the call's variables only
(appliance/call/tag.py says why). Runs in the call's task.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from appliance.call import Call
from appliance.call.outcome import Digits, Said, Taken, Transferred
from appliance.call.secret import Secret
from appliance.config import Destination
from appliance.ivr import values
from appliance.ivr.choosing import holds
from appliance.ivr.flow import PERSON, Flow
from appliance.ivr.nodes import (
    PERSON_KEY,
    Act,
    AnyNode,
    AskDigits,
    AskYesNo,
    Branch,
    HangUp,
    Keyed,
    Language,
    LeaveMessage,
    Menu,
    Queue,
    Record,
    Return,
    Say,
    Send,
    SubFlow,
    TimeOfDay,
    Transfer,
    Value,
)
from appliance.ivr.wiring import Wiring
from appliance.store import outgoing

NEXT_KEY_MS = 4_000  # between two digits of a number
END_KEYS = "#*"
CLIPS_AT_ONCE = 400  # the media core takes 512
ANEW_MOST = 20  # how often a number may be begun anew by *; what the call's tag keeps of a place has its limit


@dataclass(frozen=True)
class Left:
    """How a place was left."""

    exit: str
    variables: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Visit:
    """A call at a place of that flow."""

    call: Call
    flow: Flow
    wiring: Wiring

    @property
    def once_key(self) -> str:
        """The same when this visit is made again after a crash, and no other's."""
        tag = self.call.tag
        return f"{tag.call_id}/{tag.place}/{tag.visit}"

    @property
    def variables(self) -> dict[str, Value]:
        """With those every call has."""
        return {"ani": self.call.main.ani or "", "dnis": self.call.main.dnis or "", **self.call.tag.vars}

    def clips(self, said: Sequence[str]) -> list[str]:
        """Prompt ids; what cannot be said is in the record."""
        found, faults = values.clips(said, self.wiring.spoken(self.call, self.variables))
        for fault in faults:
            self.call.commit(self.call.fault(fault))
        return found

    async def say(self, said: Sequence[str], barge_in: bool = True) -> Said:
        """Nothing is said when there is nothing to say; what is very long, in several goes."""
        clips = self.clips(said)
        ended = Said.FINISHED
        for first in range(0, len(clips), CLIPS_AT_ONCE):
            ended = await self.call.say(clips[first : first + CLIPS_AT_ONCE], barge_in)
            if ended is not Said.FINISHED:
                break
        return ended


async def _say(visit: Visit, node: Say) -> Left:
    said = await visit.say(node.say, node.barge_in)
    return Left("cut" if said is Said.BARGED and "cut" in node.exits else "done")


# --- keys ----------------------------------------------------------------------------------------------------------------


async def _menu(visit: Visit, node: Menu) -> Left:
    return await _choice(visit, node, dict(node.keys))


async def _ask_yes_no(visit: Visit, node: AskYesNo) -> Left:
    return await _choice(visit, node, {node.yes: "yes", node.no: "no"})


async def _choice(visit: Visit, node: Keyed, exits: dict[Any, str]) -> Left:
    """One key of these, or 0, in so many tries."""
    if visit.flow.person_at(node):
        exits = {PERSON_KEY: PERSON, **exits}
    problem: tuple[str, ...] = ()
    last = "silent"
    for _ in range(node.tries or visit.call.config.attempts):
        await visit.say((*problem, *node.say))
        key = await _key(visit, node)
        if key in exits:
            return Left(exits[key])
        if key:
            await visit.call.refuse_key(key)
        problem, last = (node.invalid, "too_many") if key else (node.no_input, "silent")
    return Left(last)


async def _key(visit: Visit, node: Keyed) -> str:
    """One key, or nothing after asking whether somebody is there."""
    call = visit.call
    asked = await call.ask_digits(1, call.config.first_key_ms)
    if asked.keys:
        return asked.keys
    await visit.say(node.still_there)
    return (await call.ask_digits(1, call.config.still_there_ms)).keys


async def _ask_digits(visit: Visit, node: AskDigits) -> Left:
    if not node.secret:
        return await _asked(visit, node)
    visit.call.begin_secret()
    left = await _asked(visit, node)
    if left.exit != "got":
        visit.call.take_secret(node.kept_as)  # what will not do is for no action
    return left


async def _asked(visit: Visit, node: AskDigits) -> Left:
    problem: tuple[str, ...] = ()
    last = "silent"
    tries = node.tries or visit.call.config.attempts
    anew = ANEW_MOST
    while tries:
        await visit.say((*problem, *node.say))
        typed = await _typed(visit, node)
        if typed.ended_by == "*" and not len(typed) and "back" in node.exits:
            return Left("back")
        if typed.ended_by == "*":
            anew, problem = anew - 1, ()
            if anew:
                continue
            return Left("too_many")
        if left := _judged(visit, node, typed):
            return left
        tries -= 1
        problem, last = (node.invalid, "too_many") if len(typed) or typed.ended_by else (node.no_input, "silent")
    return Left(last)


async def _typed(visit: Visit, node: AskDigits) -> Digits | Secret:
    """No digits, and no key that ended them, when nobody keyed anything, even after asking."""
    call = visit.call
    ask = partial(call.ask_secret, kept_as=node.kept_as) if node.secret else call.ask_digits
    asked = await ask(node.max, call.config.first_key_ms, NEXT_KEY_MS, END_KEYS)
    if not len(asked) and not asked.ended_by:
        await visit.say(node.still_there)
        asked = await ask(node.max, call.config.still_there_ms, NEXT_KEY_MS, END_KEYS)
    return asked


def _judged(visit: Visit, node: AskDigits, typed: Digits | Secret) -> Left | None:
    """None when that will not do."""
    if typed.fits(PERSON_KEY) and visit.flow.person_at(node):
        return Left(PERSON)
    if not len(typed) and typed.ended_by and "none" in node.exits:
        return Left("none")
    if len(typed) < node.min or (node.pattern and not typed.fits(node.pattern)):
        return None
    return Left("got", {node.variable: typed.keys} if isinstance(typed, Digits) else {})


# --- what the box does by itself ---------------------------------------------------------------------------------------


async def _act(visit: Visit, node: Act) -> Left:
    action = visit.wiring.actions[node.action]
    done = await visit.call.work(
        f"action {action.name} at {visit.call.tag.place}",
        lambda: visit.wiring.run(action, visit.call, visit.once_key, _inputs(node, action.inputs + action.optional, visit.variables)),
        visit.clips(node.filler),
        action.limit_s,
    )
    if done is None:
        return Left("failed")
    exit_name, variables = done
    return Left(exit_name, {node.outputs.get(name, name): value for name, value in variables.items()})


def _inputs(node: Act, names: tuple[str, ...], variables: dict[str, Value]) -> dict[str, Value]:
    """By the action's names; what has no value is left out."""
    given = {name: values.resolve(written, variables) for name, written in node.inputs.items()}
    return {**{name: variables[name] for name in names if name in variables}, **given}


async def _branch(visit: Visit, node: Branch) -> Left:
    return Left(next((case.exit for case in node.cases if holds(case, visit.variables)), "otherwise"))


async def _language(visit: Visit, node: Language) -> Left:
    await visit.call.next_language((node.to,) if node.to else node.languages)
    return Left("done")


async def _time_of_day(visit: Visit, node: TimeOfDay) -> Left:
    wiring = visit.wiring
    return Left(await visit.call.decide("time_of_day", lambda: str(wiring.calendar.state(wiring.now()))))


async def _send(visit: Visit, node: Send) -> Left:
    call, variables = visit.call, visit.variables
    number, text = values.fill(node.to, variables), values.fill(node.text[call.tag.language], variables)
    key, now = visit.once_key, visit.wiring.now()

    async def queue() -> bool:
        language = call.tag.language
        await visit.wiring.transact(lambda: outgoing.enqueue(node.channel, number, text, key, now, language=language, call=call.id))
        return True

    return Left("queued" if await call.work("an outgoing message", queue, (), SEND_LIMIT_S) else "failed")


SEND_LIMIT_S = 8.0


async def _onward(visit: Visit, node: SubFlow | Return) -> Left:
    """Where it goes on is the flows' own matter."""
    return Left("")


# --- recordings and persons ------------------------------------------------------------------------------------------------


async def _leave_message(visit: Visit, node: LeaveMessage) -> Left:
    config = visit.call.config
    for _ in range(config.message_attempts):
        await visit.say(node.instruction, barge_in=False)
        taken = await visit.call.record_message(config.message_max_ms, config.message_silence_ms, config.message_min_ms)
        if taken is Taken.FAILED:
            await visit.say(node.unavailable)
            return Left("unavailable")
        if taken in (Taken.SAVED, Taken.LIMIT):
            limit = node.limit if taken is Taken.LIMIT else ()
            await visit.say((*limit, *node.saved), barge_in=False)
            return Left("saved")
        await visit.say(node.empty if taken is Taken.EMPTY else node.too_short, barge_in=False)
    return Left("given_up")


async def _record(visit: Visit, node: Record) -> Left:
    config = visit.call.config
    for _ in range(config.message_attempts):
        await visit.say(node.instruction, barge_in=False)
        taken, recording_id = await visit.call.record_statement(node.max_s * 1000, config.message_silence_ms, config.message_min_ms)
        if taken is Taken.FAILED:
            return Left("unavailable")
        if taken in (Taken.SAVED, Taken.LIMIT):
            await visit.say(node.limit if taken is Taken.LIMIT else (), barge_in=False)
            return Left("recorded", {node.variable: recording_id})
        await visit.say(node.empty if taken is Taken.EMPTY else node.too_short, barge_in=False)
    return Left("given_up")


async def _transfer(visit: Visit, node: Transfer) -> Left:
    if not node.at_once:
        await visit.say(node.say, barge_in=False)
    said = visit.clips(node.say) if node.at_once else []
    transferred = await visit.call.transfer(_destination(visit.call, node.group, node.channel, node.number), said=said)
    return Left(TRANSFER_EXITS.get(transferred, "failed"))


async def _queue(visit: Visit, node: Queue) -> Left:
    """Somebody may be free at every round; the time of the first one counts, also after a crash."""
    call = visit.call
    begun_s = await call.decide("begin_queue", lambda: int(visit.wiring.now().timestamp()))
    await visit.say(node.say, barge_in=False)
    to = _destination(call, node.group, None, "")
    while True:
        left = QUEUE_EXITS[await call.transfer(to)]
        if left:
            return Left(left)
        if await call.decide("queued_s", lambda: int(visit.wiring.now().timestamp()) - begun_s) >= node.limit_s:
            return Left("gave_up")
        await call.pause(node.pause_s, visit.clips(node.waiting))


def _destination(call: Call, group: str, channel: int | None, number: str) -> Destination:
    operator = call.config.operator
    if not (group or number or channel is not None):
        return operator
    return Destination(group=group or operator.group, channel=channel, number=number, ring_ms=operator.ring_ms)


async def _hang_up(visit: Visit, node: HangUp) -> None:
    await visit.say(node.say, barge_in=False)


TRANSFER_EXITS = {
    Transferred.ANSWERED: "ended",
    Transferred.BUSY: "busy",
    Transferred.NO_CHANNEL: "busy",
    Transferred.NO_ANSWER: "no_answer",
}

QUEUE_EXITS = dict.fromkeys(Transferred, "failed") | {
    Transferred.ANSWERED: "ended",
    Transferred.BUSY: "",
    Transferred.NO_CHANNEL: "",
    Transferred.NO_ANSWER: "",
}
"""Empty: in the next round."""

RUN: dict[type[AnyNode], Callable[[Visit, Any], Awaitable[Left | None]]] = {
    Say: _say,
    Menu: _menu,
    AskDigits: _ask_digits,
    AskYesNo: _ask_yes_no,
    Act: _act,
    Branch: _branch,
    LeaveMessage: _leave_message,
    Record: _record,
    Transfer: _transfer,
    Queue: _queue,
    Send: _send,
    Language: _language,
    TimeOfDay: _time_of_day,
    SubFlow: _onward,
    Return: _onward,
    HangUp: _hang_up,
}
"""What each kind of node does."""
