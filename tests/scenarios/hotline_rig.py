"""A hospital in the store of a scenario; callers who answer the hotline place by place, on scripted lines; what they leave is looked at."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from appliance.call import tag as tags
from appliance.call.tag import CallTag
from appliance.config import Config
from appliance.hospital.ledger import closing
from appliance.hospital.ledger.deposits import digest_of
from appliance.hospital.registry import card_password, drugs, notices, staff
from appliance.hospital.registry.notices import NoticeEntry
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.reading import built_in
from appliance.store.booking_tables import Booking, Slot
from appliance.store.database import open_store
from appliance.store.hospital_tables import Card
from appliance.store.models import Account, CallRecord, Recording, database
from appliance.store.money_tables import CardSecret, LedgerTransaction
from drivers.clock import VirtualClock, run_virtual
from drivers.protocol import Caller, Command, LegPhase, SetTag
from tests.scenarios.killing import JumpingClock, Life, restart_when_dead, start_agent
from tests.scenarios.scripted_lines import ScriptedLines
from tests.scenarios.test_calls_killed import empty_store
from tests.unit.booking_rig import TOMORROW, clinic, ledger_balances, rich
from tests.unit.hospital_rig import NOW, department, doctor, taken

PASSWORD = "135246"
TOP_UP = "2468013579246801"
NOBODY = "13800000000"
FEE_FEN = 1_500
PAID, FREE = "1001", "1002"
DRUGS = (("1203", "阿司匹林"), ("4100", "维生素"))
_made: dict[str, str] = {}


@dataclass(frozen=True)
class Hospital:
    """What tests name: cards of who has money, of who has too little, and of nobody else."""

    rich: str
    poor: str


def hospital(config: Config, places: int = 6, people: int = 0) -> Hospital:
    """The store, and the one tests begin with again and again, have the hospital; `people` more have cards with money."""
    path = config.paths.database
    opened = open_store(path)
    with database.atomic():
        found = fill(places)
        for number in range(people):
            set_password(rich(f"患者{number}", fen=10_000))
    opened.execute_sql("pragma wal_checkpoint(truncate)")
    opened.close()
    path.rename(path.with_suffix(".empty"))
    return found


def fill(places: int) -> Hospital:
    """Two doctors, one paid and one free of charge, each with a clinic on the next two days; what can be heard; a top-up card."""
    department()
    paid, free = doctor(PAID, fee="15.00"), doctor(FREE, "李明", name_en="Li Ming")
    for days in (0, 1):
        clinic(doctor=paid.id, fee_fen=FEE_FEN, day=TOMORROW + timedelta(days=days), places=places)
        clinic(doctor=free.id, fee_fen=0, day=TOMORROW + timedelta(days=days), places=places)
    taken(staff.save(taken(staff.read({"code": "77", "name_zh": "赵敏", "name_en": "Zhao Min", "department": "12"}))))
    for number, name in DRUGS:
        form = {"number": number, "name_zh": name, "name_en": "Aspirin", "use_zh": "止痛", "use_en": "Pain", "price": "12.50"}
        taken(drugs.save(taken(drugs.read(form)), NOW))
    for title in ("停诊通知", "放假通知"):
        notices.save(NoticeEntry(kind="notice", title_zh=title, title_en="Notice", text_zh=title, text_en="Closed", starts_at=NOW), NOW)
    CardSecret.create(serial="1", digest=once("top up", lambda: digest_of(TOP_UP)), value_fen=5_000)
    Account.create(name="boss", password_hash="", role="supervisor", created_at=NOW)
    return Hospital(set_password(rich("李娜")), set_password(rich("王强", fen=100)))


def once(name: str, make: Callable[[], str]) -> str:
    """Hashes are slow on purpose: each is made once for all tests."""
    if name not in _made:
        _made[name] = make()
    return _made[name]


def set_password(of: Card) -> str:
    """The same for everybody; the card's number."""
    card_password.set_password(of.id, once("password", lambda: card_password.hashed(PASSWORD)))
    return of.number


# --- callers -------------------------------------------------------------------------------------------------------------


Answers = Mapping[str, str]
"""What a caller keys at a place: each time he is there the next word ("1 2": first 1, then 2); "-" keys nothing. A place that is not
named gets none; a last word of "…" is said again and again."""


AGAIN_S = 25


@dataclass
class Answering:
    """A caller who knows what he wants."""

    server: ScriptedLines
    answers: Answers
    said: dict[str, int] = field(default_factory=dict)
    visit: int = -1
    waited_s: int = 0

    async def call(self, caller: Caller | None = None, limit_s: int = 900) -> None:
        """Ring, answer whatever is asked, and hang up where there is no answer any more."""
        leg = self.server.ring(caller.number if caller else NOBODY, caller=caller)
        for _ in range(limit_s):
            await asyncio.sleep(1.0)
            state = self.server.legs.get(leg)
            if state is None or state.phase is LegPhase.RELEASED:
                break
            if state.bridged_with or not await self._answer(leg):
                break
        self.server.hang_up(leg)
        await asyncio.sleep(15)

    async def _answer(self, leg: str) -> bool:
        """False when there is nothing left to say."""
        tag = tag_of(self.server, leg)
        if tag is None or tag.place not in self.answers:
            return True
        words = self.answers[tag.place].split()
        turn = self.said.get(tag.place, 0)
        if tag.visit == self.visit:  # said already; once more when it was not understood, by a call agent that died say
            self.waited_s += 1
            if self.waited_s % AGAIN_S:
                return True
            turn -= 1
        elif turn >= len(words) and words[-1] != "…":
            return False
        self.visit, self.said[tag.place] = tag.visit, turn + 1
        word = words[min(turn, len(words) - 1 - (words[-1] == "…"))]
        for key in word if word != "-" else "":
            self.server.press(leg, key)
            await asyncio.sleep(0.1)
        return True


def tag_of(server: ScriptedLines, leg: str) -> CallTag | None:
    """Where the call agent left word that the call stands."""
    state = server.legs.get(leg)
    tag = tags.decode(state.tag) if state is not None and state.tag else None
    return tag if isinstance(tag, CallTag) else None


# --- what is left ----------------------------------------------------------------------------------------------------------


def half_states() -> list[str]:
    """Whatever must never be left: told one by one."""
    paid = Booking.select().where(Booking.paid_fen > 0)
    fees = {row.id for row in LedgerTransaction.select().where(LedgerTransaction.kind == "fee")}
    checks = {
        "held without end": Slot.select().where(Slot.state == "held", Slot.held_until.is_null()).exists(),
        "paid without a payment": paid.where(Booking.payment.is_null()).exists(),
        "a fee without a booking": fees != {row.payment_id for row in paid},
        "booked without a booking": {row.id for row in Slot.select().where(Slot.state == "booked")}
        != {row.slot_of_id for row in Booking.select().where(Booking.state == "booked")},
        "the ledger does not balance": not ledger_balances() or bool(closing.faults()),
        "a call without end": CallRecord.select().where(CallRecord.ended_at.is_null()).exists(),
        "a recording without end": Recording.select().where(Recording.ended_at.is_null()).exists(),
    }
    return [what for what, wrong in checks.items() if wrong]


@dataclass(frozen=True)
class Left:
    """Of one call."""

    path: str
    wrong: list[str]
    messages: int
    commands: int
    found: Any


def one_call(
    config: Config,
    prompts: PromptLibrary,
    answers: Answers,
    look: Callable[[], Any] = lambda: None,
    *,
    hang_up_at: int = -1,
    hang_up_in: int = -1,
    kill_after: int | None = None,
    ani: Caller | None = None,
    after_s: float = 0.0,
) -> Left:
    """From the store as it was made. The caller hangs up at that command or in that many places; or the call agent dies at that message.
    It is looked at `after_s` later."""
    empty_store(config)

    async def main(clock: VirtualClock) -> Left:
        server = ScriptedLines(clock)
        life = Life() if kill_after is None else Life(kill_after)
        agent = await start_agent(config, server, clock, prompts, life, built_in())
        successor = asyncio.create_task(restart_when_dead(config, server, clock, prompts, agent, life, built_in()))
        await asyncio.sleep(1)
        before = len(server.commands)
        server.refuse = lambda command: _hang_up(server, command, before + hang_up_at, hang_up_in)
        await Answering(server, answers).call(ani)
        await asyncio.sleep(after_s)
        if life.over.is_set():
            agent = await successor
        successor.cancel()
        path, wrong, found = await agent.store.run(lambda: (CallRecord.get().path, half_states(), look()))
        await agent.stop()
        return Left(path, wrong, life.count, len(server.commands) - before, found)

    left: Left = run_virtual(main, JumpingClock())
    return left


def _hang_up(server: ScriptedLines, command: Command, at: int, place: int) -> str:
    tag = tag_of(server, "leg-1") if isinstance(command, SetTag) else None
    if len(server.commands) == at or (tag is not None and tag.visit == place):
        asyncio.get_running_loop().call_soon(server.hang_up, "leg-1")
    return ""
