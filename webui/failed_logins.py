"""Telling the box service of log-ins that fail, so that its firewall shuts out who guesses passwords. Nobody waits: threads of its own,
a few at most; without a box service nothing happens, the limits of the pages themselves hold.
"""

import logging
import threading
from pathlib import Path

from appliance.system.client import SystemClient
from appliance.system.network.messages import ReportFailedLogin
from drivers.errors import CarelineError

AT_ONCE = 4
LIMIT_S = 10.0

_told = threading.BoundedSemaphore(AT_ONCE)
log = logging.getLogger("careline.web")


def tell(box: Path, address: str) -> threading.Thread | None:
    """Of one more from `address`. The thread that tells; None when there is nobody to tell, or too much to tell already."""
    if not address or not box.exists() or not _told.acquire(blocking=False):
        return None
    thread = threading.Thread(target=_tell, args=(box, address), name="failed log-in", daemon=True)
    thread.start()
    return thread


def _tell(box: Path, address: str) -> None:
    try:
        with SystemClient(box, "web") as client:
            client.do(ReportFailedLogin(address=address, by="web"), LIMIT_S)
    except CarelineError as error:
        log.info("a failed log-in from %s is not told: %s", address, error)
    finally:
        _told.release()
