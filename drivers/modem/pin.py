"""The SIM's PIN: entered once, and never again when it was refused, since three wrong ones lock the SIM. Used by the modem's thread.

What was tried is written before it is tried, in one small file: killed in between, it counts as refused.
"""

import os
from hashlib import sha256
from pathlib import Path

from drivers.modem.errors import ModemError
from drivers.modem.modem import Modem, Sim

LAST_TRY = 1
REFUSED_MOST = 2  # of different PINs on one SIM, where the modem cannot say how many tries are left


class PinGuard:
    """`path`: the file; its lines are what was tried on which SIM."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def unlock(self, modem: Modem, pin: str) -> Sim:
        """The SIM's state afterwards: ready.

        Raises: ModemError SMS-005 no SIM, SMS-006 a PIN is wanted and none is set, SMS-007 refused, SMS-008 the last try is kept,
        SMS-009 it asks for the PUK or something else.
        """
        sim = modem.sim()
        if sim is Sim.READY:
            return sim
        if sim is not Sim.PIN:
            raise ModemError("SMS-009", f"the SIM is locked ({sim.value})", "Unlock it in a telephone, with the PUK of its letter")
        if not pin:
            raise ModemError("SMS-006", "the SIM asks for its PIN", "Write it into the file of [sms] pin_file, or remove it in a telephone")
        self._try(modem, pin)
        return Sim.READY

    def _try(self, modem: Modem, pin: str) -> None:
        card = modem.card_number()
        mark = sha256(f"{card} {pin}".encode()).hexdigest()[:32]
        tried = self._tried()
        if f"{card} {mark}" in tried:
            raise ModemError("SMS-007", "the SIM has refused this PIN", "Write the right one into the file of [sms] pin_file")
        left = modem.pin_tries_left()
        spent = sum(line.split(" ")[0] == card for line in tried)
        if (left is not None and left <= LAST_TRY) or (left is None and spent >= REFUSED_MOST):
            raise ModemError("SMS-008", "the SIM has one try left, which is not used up here", "Enter the PIN in a telephone once")
        self._write([*tried, f"{card} {mark}"])
        if not modem.enter_pin(pin):
            raise ModemError("SMS-007", "the SIM has refused the PIN", "Write the right one into the file of [sms] pin_file")
        self._write([line for line in tried if line.split(" ")[0] != card])

    def _tried(self) -> list[str]:
        try:
            return self._path.read_text("ascii").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise ModemError("SMS-006", f"cannot see in {self._path} which PIN was tried ({error})", "See who owns data_dir/sms") from error

    def _write(self, lines: list[str]) -> None:
        """On the disk before anything else is done; without it no PIN is tried. Raises: ModemError SMS-006."""
        try:
            self._note(lines)
        except OSError as error:
            raise ModemError("SMS-006", f"cannot note in {self._path} that a PIN is tried ({error})", "Free disk space") from error

    def _note(self, lines: list[str]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partly = self._path.with_suffix(".new")
        with partly.open("w", encoding="ascii") as file:
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())
        os.replace(partly, self._path)
