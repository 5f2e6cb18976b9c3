"""Printers of desks and kiosks, as `careline doctor` sees them: whether `careline printers` runs, and how each printer says it is."""

import fcntl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from peewee import PeeweeException

from appliance.doctor.finding import Finding, Text, fault, warning, well
from appliance.hospital.slips import wire
from appliance.hospital.slips.wire import PrinterError
from appliance.printing.lock import LOCK
from appliance.store.case_tables import Desk
from appliance.store.database import connect
from appliance.store.errors import StoreError
from appliance.store.place import StorePlace

LOOKED_AT_MOST = 32
AT_ONCE = 8  # each look has a limit of some seconds


def examine_printers(data_dir: Path, store: StorePlace, web: dict[str, Any]) -> list[Finding]:
    """Nothing where there is no printer."""
    desks = _of_desks(store)
    named = [*desks, *_of_kiosks(web)][:LOOKED_AT_MOST]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        looked = list(threads.map(lambda one: _look(*one), named))
    return [*([_running(data_dir)] if desks else []), *looked]


def _of_desks(store: StorePlace) -> list[tuple[str, str]]:
    """Name and address of each; empty when the store cannot be read, which another finding tells."""
    if isinstance(store, Path) and not store.exists():
        return []
    try:
        database = connect(store, read_only=True)
    except StoreError:
        return []
    try:
        with database.bind_ctx([Desk]):
            return [(desk.name, desk.address) for desk in Desk.select().where(Desk.printer, ~Desk.closed).order_by(Desk.id)]
    except PeeweeException:  # a store that has no such table yet
        return []
    finally:
        database.close()


def _of_kiosks(web: dict[str, Any]) -> list[tuple[str, str]]:
    kiosks = web.get("kiosks", [])
    entries = [entry for entry in kiosks if isinstance(entry, dict)] if isinstance(kiosks, list) else []
    return [(str(entry.get("name", "")), str(entry["printer"])) for entry in entries if entry.get("printer")]


def _look(name: str, address: str) -> Finding:
    about = Text(f"打印机 {name}", f"printer {name}")
    try:
        wire.look(address)
    except PrinterError as error:
        return fault(about, error)
    return well(about, f"{address} 正常，有纸", f"{address} is well and has paper")


def _running(data_dir: Path) -> Finding:
    """Whether somebody brings work items to those printers."""
    about = Text("打印程序", "careline printers")
    try:
        with (data_dir / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return well(about, "正在运行", "runs")
    except OSError:
        pass  # it has never run here
    seen = Text("没有运行，打印台的任务不会打印", "does not run: what is for a printer is not printed")
    return warning(about, "HOS-239", seen, Text("启动：careline printers", "start it: careline printers"))
