"""Each service is killed, or stopped so that its watchdog ends it, while calls go on: people who talk hear each other, flows go on, every
call is written down."""

import random
import time

import pytest

from tests.image.box import SERVICES, Box

TALK_S = 60
DONE_LIMIT_S = 1800.0
GAP_MOST_PIECES = 10  # of 10 ms
KILLS_OF_A_SOAK = 20
WATCHDOG_LIMIT_S = 300.0


@pytest.mark.parametrize("service", SERVICES)
def test_killed_during_calls_of_every_kind(box: Box, service: str) -> None:
    _killed(box, service, 1)


@pytest.mark.soak
@pytest.mark.parametrize("service", SERVICES)
def test_killed_twenty_times_during_calls(box: Box, service: str) -> None:
    _killed(box, service, KILLS_OF_A_SOAK)


def _killed(box: Box, service: str, times: int) -> None:
    """Calls on four lines; the far end itself compares what was heard with prompts, and records and recordings with what it did."""
    chance = random.Random(service)
    box.begin("callers 4")
    box.told(300, ready=True)
    time.sleep(20)
    for _ in range(times):
        old = box.pid(service)
        box.signal(service, "KILL")
        box.wait_restarted(service, old)
        time.sleep(chance.uniform(3, 15))
    box.signal("lab-far-end", "USR1")
    said = box.finish(DONE_LIMIT_S)
    assert said[-1]["calls"] > 0


@pytest.mark.parametrize("service", ["careline-lines", "careline-calls"])
@pytest.mark.parametrize("how", ["KILL", "STOP"])
def test_people_who_talk_hear_each_other_all_the_time(box: Box, service: str, how: str) -> None:
    """Joined inside the kernel: no piece of more than 100 ms is missing, through a kill and through a hang that the watchdog ends."""
    box.begin(f"pairs 2 {TALK_S}")
    box.told(600, ready=True)
    time.sleep(5)
    old = box.pid(service)
    box.signal(service, how)
    box.wait_restarted(service, old, WATCHDOG_LIMIT_S)
    said = box.finish(DONE_LIMIT_S)
    heard = [line for line in said if "listener" in line]
    assert len(heard) == 4
    assert [line for line in heard if _missing_pieces(str(line["wrong"])) > GAP_MOST_PIECES] == []
    assert said[-1]["outcomes"] == ["operator", "operator"]


@pytest.mark.parametrize("service", ["careline-web", "careline-system", "careline-health"])
def test_a_loop_that_hangs_is_ended_by_its_watchdog(box: Box, service: str) -> None:
    old = box.pid(service)
    box.signal(service, "STOP")
    box.wait_restarted(service, old, WATCHDOG_LIMIT_S)


def _missing_pieces(wrong: str) -> int:
    """Of "n of m pieces of 10 ms are not there: …"; 0 for nothing."""
    return int(wrong.split()[0]) if wrong else 0
