"""The hospital's network goes while thirty people telephone: no call depends on it. SPEC G-a."""

import asyncio
import subprocess

import pytest

from appliance.config import Config
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.models import CallRecord, VoiceMessage
from appliance.system.network import kernel
from drivers.virtual.handset import Phase
from tests.network_box import put
from tests.network_house import House, house, in_own_network, lan, network, wait_until
from tests.scenarios.box_rig import BOX, Box, press, run_box, world
from tests.scenarios.lines_rig import speech_like

TRUNKS, SETS = 30, 4
CABLES = 3


@pytest.fixture(autouse=True)
def loop_watch() -> None:
    """Cables are pulled by other programs, waited for in the loop; it stands still meanwhile, as does time."""


async def thirty_calls(box: Box, there: House) -> None:
    """Four talk to the operators, ten leave a message, the others listen to menus; each cable goes in turn, then all are out."""
    callers = [box.telephone() for _ in range(TRUNKS)]
    for telephone in callers:
        telephone.dial(BOX)
    for telephone in callers:
        assert await telephone.reached(Phase.TALKING, limit_s=60) is Phase.TALKING
    await asyncio.sleep(1)
    for telephone in callers[:1]:
        await press(telephone, "0")
    for telephone in callers[10:20]:
        await press(telephone, "3")
        telephone.speak_samples(speech_like(20.0, 1))
    operators = asyncio.create_task(pick_up(box))
    for number in range(1, CABLES + 1):
        there.pull(number)
        await asyncio.sleep(2)
        for telephone in callers[20:]:
            await press(telephone, "1")
        assert [telephone.phase for telephone in callers] == [Phase.TALKING] * TRUNKS, f"cable {number}"
    wait_until(all_out)  # the kernel takes its time, in real time
    late = box.telephone()
    callers[29].hang_up()
    await asyncio.sleep(3)
    late.dial(BOX)  # and who calls now is answered
    assert await late.reached(Phase.TALKING, limit_s=60) is Phase.TALKING
    operators.cancel()
    for telephone in (*callers[:29], late):
        telephone.hang_up()
    await box.idle()
    records = await box.ask(lambda: list(CallRecord.select()))
    assert len(records) == TRUNKS + 1
    assert all(record.answered_at is not None for record in records)
    assert await box.ask(lambda: VoiceMessage.select().count()) == 10


def all_out() -> bool:
    said = subprocess.run(["ip", "-br", "link", "show", "type", "veth"], capture_output=True, text=True, check=True).stdout
    return said.count("NO-CARRIER") == CABLES


async def pick_up(box: Box) -> None:
    while True:
        await asyncio.sleep(0.5)
        for channel in range(TRUNKS + 1, TRUNKS + SETS + 1):
            if box.set(channel).phase is Phase.RINGING:
                box.set(channel).pick_up()


@in_own_network
def test_thirty_calls_go_on_with_every_cable_out(config: Config, prompts: PromptLibrary) -> None:
    with house(CABLES) as there:
        put(network(lan(1, "10.1.0.5/24", gateway="10.1.0.1"), lan(2, "10.2.0.5/24"), lan(3, "10.3.0.5/24")))
        wait_until(lambda: all(link.carrier for link in kernel.links()))
        run_box(config, prompts, lambda box: thirty_calls(box, there), world(TRUNKS, SETS))
