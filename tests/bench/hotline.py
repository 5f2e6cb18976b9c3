"""The hotline as callers have it, through line server and call agent as programs of their own on the virtual card, in real time, with the
store of a large hospital (hospital.py): how soon a drug is read after the last key, and how soon a set rings for a VIP.
"""

import asyncio
import tempfile
import time
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from random import Random

from appliance.control.handset import AsyncHandset, dial_message
from appliance.hospital.registry import vip
from appliance.hospital.registry.vip import VipEntry
from appliance.store.database import open_store
from appliance.store.models import database
from drivers.protocol import HandsetAudio, HandsetKeysSent
from drivers.settings import Paths
from tests.bench import hospital
from tests.daemons import daemon

NUMBER = "96120"
SET_CHANNEL = 32  # behind the 31 of the E1
DRUG_CALLS, DRUGS_A_CALL = 2, 20
VIP_CALLS = 15
VIP = 0
LIMIT_S = 30.0
LINES_UP_S = 5.0
SILENCES = bytes((0xD5, 0x55))
LISTEN_S = 0.4
END_KEY_MS, END_GAP_MS = 60, 10


def measure(patients: int = hospital.PATIENTS, drugs: int = hospital.DRUGS) -> dict[str, float]:
    """p95 of both. Of a drug: end of the last key's tone to the first sound of its text; of a VIP: dialled to the set's ringing."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as daemons:
        paths = Paths(run_dir=f"{name}/run", data_dir=f"{name}/data")
        config = Path(name) / "careline.toml"
        config.write_text(_config(paths))
        _fill(paths.database, patients, drugs)
        daemons.enter_context(daemon("drivers.server", config, paths.lines_socket))
        daemons.enter_context(daemon("appliance.main", config, paths.control_socket))
        heard_ms, ringing_ms = asyncio.run(_run(paths, drugs))
    return {"drug_heard_ms_p95": _p95(heard_ms), "vip_ringing_ms_p95": _p95(ringing_ms)}


def _config(paths: Paths) -> str:
    """One E1 of callers, two sets."""
    return (
        f'[paths]\nrun_dir = "{paths.run_dir}"\ndata_dir = "{paths.data_dir}"\n[lines]\ncard = "virtual"\n'
        '[[lines.groups]]\nname = "trunk"\nchannels = "1-15,17-31"\n'
        '[[lines.groups]]\nname = "sets"\nchannels = "32-33"\nrole = "extension"\n'
        '[[lines.virtual.spans]]\nkind = "pri"\nexchange = true\n[[lines.virtual.spans]]\nkind = "fxs"\nchannels = 2\n'
        f'[[lines.virtual.numbers]]\nnumber = "{NUMBER}"\nspans = [1]\n'
    )


def _fill(path: Path, patients: int, drugs: int) -> None:
    path.parent.mkdir(parents=True)
    open_store(path).close()
    hospital._fill(path, patients, drugs)
    opened = open_store(path)
    with database.atomic():
        vip.save(VipEntry(patient=hospital._number(VIP), level=1, valid_from=date(2026, 1, 1)), "bench")
    opened.close()


def _p95(times_ms: list[float]) -> float:
    return round(sorted(times_ms)[len(times_ms) * 95 // 100], 1)


async def _run(paths: Paths, drugs: int) -> tuple[list[float], list[float]]:
    await asyncio.sleep(LINES_UP_S)
    random = Random(3)
    heard_ms = [took_ms for _ in range(DRUG_CALLS) for took_ms in await _drugs(paths, drugs, random)]
    return heard_ms, [await _vip(paths) for _ in range(VIP_CALLS)]


async def _drugs(paths: Paths, drugs: int, random: Random) -> list[float]:
    """One call that asks for one drug after another."""
    handset = await AsyncHandset.connect(paths.handset_socket, dial_message(NUMBER, caller="13000000000", stream=True))
    try:
        await handset.wait_for("talking", limit_s=LIMIT_S)
        await _listen(handset, 1.5)
        for key in "21":  # information; drugs, the first item in a store without doctors
            await handset.press(key)
            await _listen(handset, 1.5)
        return [await _one_drug(handset, hospital._drug(random.randrange(drugs))) for _ in range(DRUGS_A_CALL)]
    finally:
        await handset.close()


async def _one_drug(handset: AsyncHandset, number: str) -> float:
    """The first digit has silenced the question: whatever sounds after the last is the drug."""
    await handset.press(number)
    while not isinstance(await handset.next(LIMIT_S), HandsetKeysSent):
        pass
    await handset.press("#", END_KEY_MS, END_GAP_MS)
    ended_s = heard_s = 0.0
    while not (ended_s and heard_s):
        message = await handset.next(LIMIT_S)
        if isinstance(message, HandsetKeysSent):
            ended_s = time.perf_counter() - END_GAP_MS / 1000
        elif not heard_s and _is_sound(message):
            heard_s = time.perf_counter()
    await _listen(handset, LISTEN_S)
    await handset.press("1")  # another one
    await _listen(handset, LISTEN_S)
    return max(0.0, heard_s - ended_s) * 1000


def _is_sound(message: object) -> bool:
    return isinstance(message, HandsetAudio) and bool(message.samples.strip(SILENCES))


async def _listen(handset: AsyncHandset, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        await handset.next(LIMIT_S)


async def _vip(paths: Paths) -> float:
    """From the last digit dialled to the bell of the operator's set."""
    operator = await AsyncHandset.connect(paths.handset_socket, dial_message(channel=SET_CHANNEL))
    ringing = asyncio.create_task(operator.wait_for("ringing", limit_s=LIMIT_S))
    await asyncio.sleep(0.1)
    began_s = time.perf_counter()
    caller = await AsyncHandset.connect(paths.handset_socket, dial_message(NUMBER, caller=hospital._phone(VIP)))
    try:
        await ringing
        return (time.perf_counter() - began_s) * 1000
    finally:
        await caller.close()
        await operator.close()
        await asyncio.sleep(1.5)
