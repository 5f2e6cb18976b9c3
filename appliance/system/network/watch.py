"""What goes on beside requests: the network put in use when the box service begins, changes taken back that nobody confirms, new leases,
cards that come and go. A coroutine in the event loop of careline-system; all that takes time is done in a thread.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

from appliance.system.box import Box
from appliance.system.network.actions import desk_of
from drivers.errors import CarelineError

LOOK_S = 0.5
SETTLE_S = 0.3
"""A card that comes tells of it several times."""
BEGIN_AGAIN_S = 5.0
RTMGRP_LINK = 1  # Source: linux/rtnetlink.h

log = logging.getLogger("careline.network")


async def keep_up(box: Box) -> None:
    """Until cancelled. Nothing where Careline does not look after the network."""
    if not box.config.network.manage:
        return
    while True:
        try:
            await _watch(box)
        except (CarelineError, OSError) as error:
            log.error("SYS-057: the network cannot be looked after (%s); trying again in %.0f s", error, BEGIN_AGAIN_S)
            await asyncio.sleep(BEGIN_AGAIN_S)


async def _watch(box: Box) -> None:
    desk = await asyncio.to_thread(desk_of, box)
    try:
        with _link_events() as changed:
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), LOOK_S)
                if changed.is_set():
                    await asyncio.sleep(SETTLE_S)
                    changed.clear()
                    await asyncio.to_thread(desk.step)
                elif desk.is_due():
                    await asyncio.to_thread(desk.step)
    finally:
        desk.stop()


@contextlib.contextmanager
def _link_events() -> Iterator[asyncio.Event]:
    """Set when the kernel tells of a link; what it tells is not read, `step` looks at all of them. Raises: OSError."""
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE) as listening:
        listening.bind((0, RTMGRP_LINK))

        def hear() -> None:
            with contextlib.suppress(OSError):  # an overrun tells as much as a message
                listening.recv(65536)
            changed.set()

        loop.add_reader(listening, hear)
        try:
            yield changed
        finally:
            loop.remove_reader(listening)
