"""The program `rauc`: asked for its slots, for what a bundle is, told to install and to mark. Every wait has a limit; one call at a time is
RAUC's own rule. Runs in threads of careline-system and in `proof`.

Source: rauc.readthedocs.io/en/v1.8
"""

import re
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from appliance.system.errors import BoxError
from appliance.system.update.messages import Slot

ASK_LIMIT_S = 30.0
INSTALL_LIMIT_S = 900.0
PROGRESS = re.compile(r"\s*(\d+)%\s")
LAST_ERROR = re.compile(r"LastError: (.*)")
SCHEMA = re.compile(r"schema(\d+)$")
NO_RAUC = "Updates need a box that was set up from an image (make image); update this one by its packages"

Mark = Literal["good", "bad", "active"]


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle says of itself, once its signature was found good."""

    compatible: str
    version: str
    build: str = ""

    @property
    def store(self) -> int:
        """The version of the store that it works with; 0 when it does not say."""
        found = SCHEMA.search(self.build)
        return int(found[1]) if found else 0


class State(msgspec.Struct, frozen=True, kw_only=True):
    compatible: str
    slots: tuple[Slot, ...]

    @property
    def booted(self) -> Slot:
        """Raises: BoxError SYS-070 when the box was not started by its own slots."""
        return self._one(True)

    @property
    def other(self) -> Slot:
        return self._one(False)

    def _one(self, booted: bool) -> Slot:
        found = [slot for slot in self.slots if slot.booted is booted]
        if len(found) != 1:
            raise BoxError("SYS-070", "this box does not know which of its slots it was started from", NO_RAUC)
        return found[0]


def state(rauc: tuple[str, ...]) -> State:
    """Raises: BoxError SYS-070, SYS-078."""
    told = msgspec.json.decode(_ask(rauc, "status", "--detailed", "--output-format=json").stdout.strip() or "{}")
    named = [(name, slot) for each in told.get("slots", ()) for name, slot in each.items() if slot.get("bootname")]
    slots = tuple(_slot(slot, name == told.get("boot_primary")) for name, slot in sorted(named))
    return State(compatible=told.get("compatible", ""), slots=slots)


def _slot(slot: dict[str, Any], is_next: bool) -> Slot:
    bundle = (slot.get("slot_status") or {}).get("bundle") or {}
    booted = slot.get("state") == "booted"
    return Slot(
        name=slot["bootname"], booted=booted, good=slot.get("boot_status") == "good", next=is_next, version=bundle.get("version") or ""
    )


def info(rauc: tuple[str, ...], path: Path) -> Info:
    """Raises: BoxError SYS-072 for what is not signed by whom this box trusts, or damaged."""
    told = _run(rauc, "info", "--output-format=json", str(path), limit_s=ASK_LIMIT_S)
    if told.returncode:
        raise BoxError(
            "SYS-072", f"{path.name} is no update that this box trusts ({_last_line(told.stderr)})", "Fetch it again from the maker"
        )
    found = msgspec.json.decode(told.stdout)
    return Info(compatible=found["compatible"] or "", version=found["version"] or "", build=found["build"] or "")


def mark(rauc: tuple[str, ...], how: Mark, slot: Literal["booted", "other"]) -> None:
    """Raises: BoxError SYS-070, SYS-078."""
    _ask(rauc, "status", f"mark-{how}", slot)


def forget_good(grub_env: tuple[str, ...], slot: str) -> None:
    """What comes into the slot has one try, until it is proved (image-build/grub.cfg). Raises: BoxError SYS-070, SYS-078."""
    done = _run((grub_env[0],), *grub_env[1:], "set", f"{slot}_GOOD=0", limit_s=ASK_LIMIT_S)
    if done.returncode:
        raise BoxError("SYS-078", f"the boot loader's variables cannot be written ({_last_line(done.stderr)})", "Restart the box")


def install(rauc: tuple[str, ...], path: Path, tell: Callable[[int], None]) -> None:
    """Into the slot not in use; `tell` hears the percents. Raises: BoxError SYS-077."""
    try:
        running = subprocess.Popen(
            [*rauc, "install", str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
        )
    except OSError as error:
        raise _absent(error) from error
    limit = threading.Timer(INSTALL_LIMIT_S, running.kill)
    limit.start()
    try:
        said = _followed(running, tell)
    finally:
        limit.cancel()
    if running.returncode:
        why = next((found[1] for line in reversed(said) if (found := LAST_ERROR.search(line))), "") or (
            said[-1] if said else "no reason given"
        )
        raise BoxError(
            "SYS-077", f"the update could not be installed ({why})", "The box runs on as it is; try again, or fetch the update anew"
        )


def _followed(running: "subprocess.Popen[str]", tell: Callable[[int], None]) -> list[str]:
    said = []
    with running:  # it ends, at the latest when it is killed
        for line in running.stdout or ():
            said.append(line.strip())
            if found := PROGRESS.match(line):
                tell(int(found[1]))
    return [line for line in said if line]


def _ask(rauc: tuple[str, ...], *words: str) -> "subprocess.CompletedProcess[str]":
    asked = _run(rauc, *words, limit_s=ASK_LIMIT_S)
    if asked.returncode:
        raise BoxError(
            "SYS-078", f"rauc {' '.join(words)}: {_last_line(asked.stderr or asked.stdout)}", "See the log of rauc.service; restart the box"
        )
    return asked


def _run(rauc: tuple[str, ...], *words: str, limit_s: float) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run([*rauc, *words], capture_output=True, text=True, timeout=limit_s, stdin=subprocess.DEVNULL, check=False)
    except subprocess.TimeoutExpired as error:
        raise BoxError("SYS-078", f"rauc {words[0]} did not answer within {limit_s:.0f} s", "Restart the box") from error
    except OSError as error:
        raise _absent(error) from error


def _absent(error: OSError) -> BoxError:
    return BoxError("SYS-070", f"this box cannot be updated: rauc: {error.strerror}", NO_RAUC)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason given"
