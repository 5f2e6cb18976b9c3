"""A registration bought by telephone on the kernel's drivers: keys as sound, the fee from the card, the password in no recording."""

import asyncio
import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path

from appliance.hospital.registry import card_password
from appliance.store.booking_tables import Booking
from appliance.store.database import open_store
from appliance.store.hospital_tables import Card
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from tests.dtmf import keys_in
from tests.lab import product
from tests.lab.exchange import Exchange, Line
from tests.lab.product import box
from tests.lab.records import finished_records
from tests.lab.scenario import Report, scenario
from tests.lab.sound import prompt, samples_of
from tests.unit.booking_rig import balance, clinic, ledger_balances, rich
from tests.unit.hospital_rig import ZONE, department, doctor

FOLDER = Path("/tmp/exchange")
OWN_BOX = '\n[hospital]\nname_en = "Hospital of the lab"\n'
BUYERS = 3
PASSWORD, DOCTOR, FEE_FEN = "135246", "1001", 1_500
LONG_S = 60.0
DIALOGUE = (
    ("greeting", "1"),
    ("registration_menu", "2"),
    ("ask_card", "{card}#"),
    ("ask_password", f"{PASSWORD}#"),
    ("choose_by", "1"),
    ("ask_doctor_number", f"{DOCTOR}#"),
    ("choose_time", "{choice}"),
    ("confirm_payment", "1"),
    ("receipt_number_is", ""),
)
"""What is heard, and what is keyed then."""


@scenario(limit_s=900)
def bought(report: Report) -> None:
    """Three callers at once buy a place each, of the three offered; everybody is charged once."""
    with box(OWN_BOX) as running:
        cards = _fill()
        asyncio.run(_bought(report, cards))
        assert not running.legs(), running.legs()
        _check(report)
    shutil.rmtree(product.PATHS.data_dir)  # other scenarios ring a hospital without doctors


def _fill() -> list[str]:
    """A doctor with a clinic in two days, and people with money, into the store that the call agent has open."""
    opened = open_store(product.PATHS.database)
    day = datetime.now(ZONE).date() + timedelta(days=2)
    with write_transaction(database):
        department()
        clinic(doctor=doctor(DOCTOR, fee="15.00").id, fee_fen=FEE_FEN, day=day)
        made = [rich(f"患者{number}") for number in range(BUYERS)]
        for card in made:
            card_password.set_password(card.id, card_password.hashed(PASSWORD))
        numbers = [card.number for card in made]
    opened.close()
    return numbers


async def _bought(report: Report, cards: list[str]) -> None:
    began_s = time.time()
    async with Exchange(product.EXCHANGE_LINES[:BUYERS], (), FOLDER) as exchange:
        order = {line.number: place for place, line in enumerate(exchange.lines)}
        await exchange.together(lambda line: _buys(line, cards[order[line.number]], order[line.number] + 1))
        records = await finished_records(began_s, BUYERS)
    for record in records:
        assert PASSWORD not in record.digits, record
        path, *_ = product.recording(record.call_id)
        caller_side = samples_of(path)[0::2]
        assert PASSWORD not in keys_in(caller_side), record
    report.figure("registrations_bought", len(records))


async def _buys(line: Line, card: str, choice: int) -> None:
    await line.ring()
    for heard, keys in DIALOGUE:
        await line.hears(prompt(heard), LONG_S)
        if keys:
            await line.press(keys.format(card=card, choice=choice))
    await line.hang_up()


def _check(report: Report) -> None:
    opened = open_store(product.PATHS.database)
    sold = list(Booking.select())
    left = [balance(card) for card in Card.select()]
    assert (len(sold), {row.paid_fen for row in sold}) == (BUYERS, {FEE_FEN}), sold
    assert left == [10_000 - FEE_FEN] * BUYERS, left
    assert ledger_balances()
    opened.close()
    report.figure("each_charged_fen", FEE_FEN)
