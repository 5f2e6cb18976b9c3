"""Verbs between the box and the caller: answer, say, ask for digits, choose the language, go to another place."""

from collections.abc import Callable, Sequence
from typing import Any

from appliance.call.core import Finished
from appliance.call.leg import Leg
from appliance.call.outcome import Digits, Keyed, Said
from appliance.call.secret import SecretKeys
from appliance.config import Language
from appliance.errors import CallError
from appliance.events import (
    AnyHappened,
    CallAnswered,
    CallerSilent,
    CallRouted,
    DigitPressed,
    KeyRefused,
    LanguageChosen,
    PlaceEntered,
    PromptPlayed,
)
from drivers.protocol import Answer, DigitPress, LegPhase, Play, PlayEnd, StopPlay

KEYS = "0123456789*#ABCD"
PLACES_SHOWN = 20
PROMPTS_TOLD = 60  # of a text read by syllables, its beginning will do for the record
ANSWER_LIMIT_S = 5.0
PLAY_MARGIN_S = 10.0

SAID = {
    PlayEnd.FINISHED: Said.FINISHED,
    PlayEnd.BARGED: Said.BARGED,
    PlayEnd.STOPPED: Said.FINISHED,
    PlayEnd.FAILED: Said.FAILED,
}


class Talking(SecretKeys):
    """The caller and the box."""

    async def answer(self) -> None:
        """Take the call. Raises: CallError APP-003 when the line does not come up."""
        await self.step("answer", self._answer)

    async def _answer(self) -> Finished:
        if self.main.phase is LegPhase.OFFERED:
            self.send(Answer(leg=self.main.name))
        if not await self.main.wait(lambda leg: leg.phase is LegPhase.ANSWERED, ANSWER_LIMIT_S):
            raise CallError("APP-003", f"channel {self.main.channel} did not answer", "Look at the card and its line")
        return Finished(None, [self.answered_event()], {"answered": True})

    def answered_event(self) -> CallAnswered:
        return CallAnswered(**self.here(self.main.answered_at))

    def route(self, service: str, rule: str) -> None:
        """Note which service the call was given."""
        self.commit(CallRouted(service=service, rule=rule, **self.here()), service=service)

    def enter(self, place: str, **changes: Any) -> None:
        """Go to a place of the flow: what was done at the last one is done for good. `changes`: of the tag, at once with it."""
        self.begin_place()
        self.end_secret()
        came = (*self.tag.came, place)[-PLACES_SHOWN:]
        self.commit(
            PlaceEntered(place=place, **self.here()), place=place, visit=self.tag.visit + 1, came=came, steps=(), secret=False, **changes
        )

    async def say(self, prompts: Sequence[str], barge_in: bool = True) -> Said:
        """Say prompts one after another without a gap; with `barge_in` any key stops them, also one typed ahead."""
        stop_keys = KEYS if barge_in and not self.asks_anew else ""
        said = Said(await self.step("say", lambda: self._say(tuple(prompts), stop_keys)))
        self.asked_anew()
        return said

    async def _say(self, prompts: tuple[str, ...], stop_keys: str) -> Finished:
        play_id = self.tag.play_id + 1
        begun = self.main.play is not None and self.main.play.play_id >= play_id
        if not begun and any(press.digit in stop_keys for press in (*self.main.digits, *self.main.secret_digits)):
            return Finished(Said.BARGED, [PromptPlayed(prompts=prompts[:PROMPTS_TOLD], end=Said.BARGED, **self.here())])
        clips, length_ms, faults = self.clips(prompts)
        command_id = 0
        if clips and not begun:
            command_id = self.send(Play(leg=self.main.name, play_id=play_id, clips=clips, barge_in_digits=stop_keys))
        said = await self._said(play_id, command_id, length_ms) if clips else Said.FAILED
        if refusal := self.main.refused.get(command_id):
            faults.append(self.fault(CallError(refusal.code, refusal.what, refusal.remedy)))
        played = PromptPlayed(prompts=prompts[:PROMPTS_TOLD], end=said, **self.here())
        return Finished(said, [*faults, played], {"play_id": play_id})

    async def _said(self, play_id: int, command_id: int, length_ms: int) -> Said:
        limit_s = length_ms / 1000 + PLAY_MARGIN_S

        def over(leg: Leg) -> bool:
            return leg.play_end(play_id) is not None or command_id in leg.refused

        if not await self.main.wait(over, limit_s):
            self.send(StopPlay(leg=self.main.name))
            self.commit(self.fault(CallError("APP-004", f"a prompt did not end in {limit_s:.0f} s", "See the log of careline-lines")))
        end = self.main.play_end(play_id)
        return SAID[end] if end else Said.FAILED

    async def ask_digits(self, count: int, first_ms: int, next_ms: int | None = None, end_key: str = "") -> Digits:
        """Up to `count` keys, those typed ahead first; `first_ms` for the first, `next_ms` for each of the others.

        `end_key`: one or several."""

        async def act() -> Finished:
            return await self._ask_digits(count, first_ms / 1000, (next_ms or first_ms) / 1000, end_key)

        keys, keyed, *ended_by = await self.step("ask_digits", act)
        return Digits(keys, Keyed(keyed), *ended_by)

    async def _ask_digits(self, count: int, first_s: float, next_s: float, end_key: str) -> Finished:
        limit_s = first_s
        while (keyed := _keyed(self.main.digits, count, end_key)) is Keyed.SILENT:
            known = len(self.main.digits)
            if not await self.main.wait(_has_more_than(known), limit_s):
                break
            limit_s = next_s
        taken = _taken(self.main.digits, count, end_key)
        keys = "".join(press.digit for press in taken if press.digit not in end_key)
        ended_by = taken[-1].digit if keyed is Keyed.ENDED else ""
        events: list[AnyHappened] = list(self.pressed(taken))
        if not taken:
            events.append(CallerSilent(**self.here()))
        return Finished([keys, keyed, ended_by], events, self.consumed(taken))

    def pressed(self, presses: Sequence[DigitPress], leg: str = "") -> list[DigitPressed]:
        """The events of these keys."""
        name = leg or self.main.name
        return [DigitPressed(digit=press.digit, leg=name, leg_seq=press.seq, **self.here(press.at)) for press in presses]

    def consumed(self, presses: Sequence[DigitPress]) -> dict[str, int]:
        """The tag's change when these keys were acted on."""
        return {"consumed_seq": presses[-1].seq} if presses else {}

    async def refuse_key(self, digit: str) -> None:
        """Note a key that means nothing here."""

        async def act() -> Finished:
            return Finished(None, [KeyRefused(digit=digit, **self.here())])

        await self.step("refuse_key", act)

    async def next_language(self, languages: Sequence[Language]) -> None:
        """Speak the language after the present one from now on."""

        async def act() -> Finished:
            place = languages.index(self.tag.language) if self.tag.language in languages else -1
            language = languages[(place + 1) % len(languages)]
            return Finished(None, [LanguageChosen(language=language, **self.here())], {"language": language})

        await self.step("next_language", act)


def _has_more_than(known: int) -> Callable[[Leg], bool]:
    return lambda leg: len(leg.digits) > known


def _taken(presses: Sequence[DigitPress], count: int, end_key: str) -> list[DigitPress]:
    taken: list[DigitPress] = []
    for press in presses:
        taken.append(press)
        if press.digit in end_key or len(taken) == count:
            break
    return taken


def _keyed(presses: Sequence[DigitPress], count: int, end_key: str) -> Keyed:
    taken = _taken(presses, count, end_key)
    if taken and taken[-1].digit in end_key:
        return Keyed.ENDED
    return Keyed.ENOUGH if len(taken) >= count else Keyed.SILENT
