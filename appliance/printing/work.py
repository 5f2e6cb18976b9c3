"""What one printer does: it is looked at, gets what it was offered, one slip after another, and says what came of it.

Runs in a thread of its own for each printer, with that thread's connection to the store; blocks no longer than the limits of slips/wire.py.
"""

import logging

import msgspec
from peewee import Database

from appliance.calendar import Calendar
from appliance.config import HospitalConfig
from appliance.hospital.dispatch import desks, items
from appliance.hospital.dispatch.items import Kind, Outcome, State, Step
from appliance.hospital.slips import wire
from appliance.hospital.slips.contents import booking_slip, work_slip
from appliance.hospital.slips.escpos import render
from appliance.hospital.slips.slip import Language, Slip
from appliance.hospital.slips.wire import Printed, PrinterError, Printing
from appliance.store.booking_tables import Booking
from appliance.store.case_tables import Desk, WorkItem
from appliance.store.transaction import write_transaction
from drivers.clock import Clock

LOOK_EVERY_S = 5.0
BY = "printer"

log = logging.getLogger("careline.printers")


class Job(msgspec.Struct, frozen=True):
    """A slip on its way."""

    item_id: int
    slip: bytes


class PrinterWork:
    """`begin` once, then `step` again and again. Raises: peewee's DatabaseError when the store cannot be used."""

    def __init__(self, database: Database, desk_id: int, hospital: HospitalConfig, clock: Clock) -> None:
        self._database = database
        self._desk_id = desk_id
        self._hospital = hospital
        self._zone = Calendar(hospital.calendar).zone
        self._clock = clock
        self._looked_at_s: float | None = None

    def begin(self) -> None:
        """What an earlier process had taken and never told the end of may be printed or not."""
        with write_transaction(self._database):
            for item in WorkItem.select().where(WorkItem.desk == self._desk_id, WorkItem.state == State.TAKEN):
                self._doubtful(item, "HOS-236: printing was broken off. See whether the slip came out")

    def step(self) -> bool:
        """Print one slip. False: there was none to print, or the printer does not."""
        desk = Desk.get_or_none(Desk.id == self._desk_id, Desk.printer, ~Desk.closed)
        if desk is None or not self._is_well(desk):
            return False
        with write_transaction(self._database):
            job = self._take(desk)
        if job is None:
            return False
        printing = wire.print_slip(desk.address, job.slip)
        with write_transaction(self._database):
            self._settle(job, printing)
        return printing.printed is Printed.YES

    def _is_well(self, desk: Desk) -> bool:
        """Looked at every LOOK_EVERY_S, at once after a fault."""
        now_s = self._clock.monotonic_s()
        if self._looked_at_s is not None and now_s - self._looked_at_s < LOOK_EVERY_S and not desk.fault:
            return True
        self._looked_at_s = now_s
        try:
            wire.look(desk.address)
        except PrinterError as error:
            self._is_not_there(desk, str(error))
            return False
        with write_transaction(self._database):
            desks.beat(desk.id, self._clock.now())
        return True

    def _is_not_there(self, desk: Desk, fault: str) -> None:
        if desk.fault != fault:
            log.warning("%s: %s", desk.name, fault)
        with write_transaction(self._database):
            desks.leave(desk.id, fault)

    def _take(self, desk: Desk) -> Job | None:
        waiting = [item for item in items.of_desk(desk.id) if item.state == State.OFFERED]
        if not waiting or items.take(waiting[0].id, desk.id, BY, self._clock.now()) is Outcome.GONE:
            return None
        return Job(waiting[0].id, render(self._slip(waiting[0]), desk.columns))

    def _slip(self, item: WorkItem) -> Slip:
        booking = _booking_of(item)
        language: Language = "en" if booking and booking.patient and booking.patient.language == "en" else "zh"
        name = self._hospital.name_en if language == "en" else self._hospital.name_zh
        if booking is None:
            return work_slip(item, name, self._zone, language)
        return booking_slip(booking, name, self._zone, language, self._clock.now())

    def _settle(self, job: Job, printing: Printing) -> None:
        item, now = WorkItem.get_by_id(job.item_id), self._clock.now()
        if printing.printed is Printed.YES:
            items.done(item.id, self._desk_id, BY, now)
            _count_print(item)
            desks.beat(self._desk_id, now)
            return
        if printing.printed is Printed.NO:
            items.give_back(item.id, self._desk_id, BY, now, printing.fault)
        else:
            self._doubtful(item, printing.fault)
        log.warning("%s: %s", item.about, printing.fault)
        desks.leave(self._desk_id, printing.fault)

    def _doubtful(self, item: WorkItem, fault: str) -> None:
        """A dead letter: a person looks, and sends it again if need be; then it is marked as a copy."""
        items.move(item, Step.DEAD, self._clock.now(), by=BY, fault=fault)
        _count_print(item)


def _booking_of(item: WorkItem) -> Booking | None:
    return Booking.get_or_none(Booking.code == item.about.removeprefix("booking ")) if item.kind == Kind.BOOKING else None


def _count_print(item: WorkItem) -> None:
    booking = _booking_of(item)
    if booking is not None:
        Booking.update(printed=Booking.printed + 1).where(Booking.id == booking.id).execute()
