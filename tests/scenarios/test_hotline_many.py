"""Many callers of the hotline at once: a card tried from many lines, the last places of a clinic; and the call agent killed meanwhile."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable
from typing import Any

from appliance.config import Config
from appliance.events import PromptPlayed
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.reading import built_in
from appliance.store.booking_tables import Booking, Slot
from appliance.store.hospital_tables import Card
from appliance.store.models import CallEvent
from appliance.store.money_tables import LedgerAccount, LedgerTransaction
from appliance.store.projections import events_of
from drivers.clock import VirtualClock, run_virtual
from tests.scenarios.hotline_rig import FEE_FEN, PAID, PASSWORD, Answering, Answers, half_states, hospital
from tests.scenarios.killing import NEVER, JumpingClock, Life, start_agent
from tests.scenarios.scripted_lines import ScriptedLines
from tests.scenarios.test_calls_killed import empty_store
from tests.scenarios.test_hotline_services import login

GUESSERS = 12
LINES, ATTEMPTS, PEOPLE, PLACES = 240, 300, 150, 50
LIVES = (9_000, 12_000)
"""Messages after which a call agent is killed."""


def all_at_once(
    config: Config, prompts: PromptLibrary, callers: list[Answers], look: Callable[[], Any], every_s: float, lives: tuple[int, ...] = ()
) -> Any:
    """Each caller rings `every_s` after the one before, as soon as a line is free."""
    empty_store(config)

    async def main(clock: VirtualClock) -> Any:
        server = ScriptedLines(clock, channels=LINES)
        flows = built_in()
        life = Life(lives[0] if lives else NEVER)
        agent = await start_agent(config, server, clock, prompts, life, flows)
        await asyncio.sleep(1)
        lines = asyncio.Semaphore(LINES)

        async def one(answers: Answers) -> None:
            async with lines:
                await Answering(server, answers).call()

        calls = asyncio.gather(*[asyncio.create_task(_later(number * every_s, one, each)) for number, each in enumerate(callers)])
        for messages in (*lives[1:], NEVER)[: len(lives)]:
            await life.over.wait()
            await agent.stop()
            await asyncio.sleep(0.5)
            life = Life(messages)
            agent = await start_agent(config, server, clock, prompts, life, flows)
        await calls
        found = await agent.store.run(look)
        assert not agent.live.calls
        await agent.stop()
        return found

    return run_virtual(main, JumpingClock())


async def _later(wait_s: float, one: Callable[[Answers], Any], answers: Answers) -> None:
    await asyncio.sleep(wait_s)
    await one(answers)


def said_in_all() -> Counter[str]:
    calls = {row.call for row in CallEvent.select(CallEvent.call).distinct()}
    events = (event for call in calls for event in events_of(call))
    return Counter(prompt for event in events if isinstance(event, PromptPlayed) for prompt in event.prompts)


def test_wrong_passwords_from_many_lines_lock_the_card_at_the_limit(config: Config, prompts: PromptLibrary) -> None:
    """Twelve lines try one card at the same moment, and one line uses another card meanwhile: it is the card that is locked, no line."""
    here = hospital(config)
    guessing = {"main_menu": "3", **login(here.rich, "999999")}
    other = {"main_menu": "3", **login(here.poor), "account/menu": "1", "account/after": "#"}

    def look() -> Any:
        card = Card.get(Card.number == here.rich)
        return said_in_all(), (card.state, card.wrong_count), half_states()

    said, card, wrong = all_at_once(config, prompts, [*[guessing] * GUESSERS, other], look, every_s=0.0)
    assert card == ("locked", 3)
    assert (said["password_wrong"], said["card_locked"], said["balance_is"]) == (2, GUESSERS, 1)
    assert wrong == []
    afterwards = all_at_once(config, prompts, [*[guessing] * GUESSERS, {**guessing, **login(here.rich)}], look, every_s=1.0)
    assert afterwards[1] == ("locked", 3)


def test_the_last_places_are_each_sold_once(config: Config, prompts: PromptLibrary) -> None:
    """300 attempts by 150 people on 240 lines, 100 places, the call agent killed twice."""
    hospital(config, places=PLACES, people=PEOPLE)
    database_cards = _cards(config)
    callers = [_buyer(database_cards[number % PEOPLE], number) for number in range(ATTEMPTS)]

    def look() -> Any:
        fees = LedgerTransaction.select().where(LedgerTransaction.kind == "fee").count()
        free = Slot.select().where(Slot.state != "booked").count()
        sold = Booking.select().where(Booking.state == "booked").count()
        return sold, fees, LedgerAccount.get(LedgerAccount.code == "fees").balance_fen, free, half_states()

    sold, fees, taken_fen, free, wrong = all_at_once(config, prompts, callers, look, every_s=0.35, lives=LIVES)
    assert (sold, fees, taken_fen, wrong) == (2 * PLACES, 2 * PLACES, 2 * PLACES * FEE_FEN, [])
    assert free == 2 * PLACES  # those of the other doctor


def _cards(config: Config) -> list[str]:
    with sqlite3.connect(config.paths.database.with_suffix(".empty")) as store:
        return [number for (number,) in store.execute("select number from card order by id desc limit ?", (PEOPLE,))]


def _buyer(card: str, number: int) -> Answers:
    """Comes back to the choice of times as often as a place was taken before his eyes."""
    again = {"registration/menu": "2 2 2 2 2 2", "choose_place/how": "1 1 1 1 1 1 #", "find_doctor/number": f"{PAID}# …"}
    return {**paying_with(card), **again, "choose_place/which": f"{1 + number % 3} 1 1 1 1 1 1 1 #", "registration/paid_confirm": "1 …"}


def paying_with(card: str) -> dict[str, str]:
    return {
        "main_menu": "1",
        "card/ask": f"{card}# …",
        "card/password": f"{PASSWORD}# …",
        "registration/after_paid": "#",
    }
