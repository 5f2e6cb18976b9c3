"""Commands towards the switch of a line: that it rings here, hook flash, a caller handed on. Line server's event loop only."""

from drivers.errors import LineError
from drivers.exchange_lines import ExchangeLine
from drivers.io import Signalling
from drivers.ports import DIGITS, MAX_DIGITS
from drivers.protocol import Alert, Flash, LegPhase, TransferByFlash, TransferInSwitch, TransferState
from drivers.server.checks import in_range
from drivers.server.lines import Lines
from drivers.signalling import AlertWanted, LinkTransferWanted

DIGITAL = (Signalling.BCHAN, Signalling.CAS)
NO_ANSWER_LEAST_MS, NO_ANSWER_MAX_MS = 1000, 600_000


class SwitchCommands:
    """One method per command. Raises: LineError when it cannot be done."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def alert(self, command: Alert) -> None:
        """Analogue callers hear ringing anyway."""
        self._lines.state_in(command.leg, LegPhase.OFFERED)
        channel = self._lines.channel_of(command.leg)
        if channel.spec.signalling in DIGITAL:
            channel.tell(AlertWanted(command.inband))

    def transfer_in_switch(self, command: TransferInSwitch) -> None:
        for leg in (command.leg, command.other):
            self._lines.state_in(leg, LegPhase.ANSWERED)
        mine, theirs = self._lines.channel_of(command.leg), self._lines.channel_of(command.other)
        if mine.spec.signalling is not Signalling.BCHAN or theirs.spec.span != mine.spec.span:
            what = f"legs {command.leg} and {command.other} are not both on one ISDN span"
            raise LineError("LIN-180", what, "Join them here instead (Bridge)")
        if self._begins(command.leg, command.transfer_id):
            mine.tell(LinkTransferWanted(theirs.number))

    def flash(self, command: Flash) -> None:
        self._line_of(command.leg).flash()

    def transfer_by_flash(self, command: TransferByFlash) -> None:
        if not 1 <= len(command.number) <= MAX_DIGITS or not set(command.number) <= DIGITS:
            raise LineError("LIN-042", f"number {command.number!r}", f"1 to {MAX_DIGITS} of 0-9 * # A-D, and w for a pause of 500 ms")
        in_range("no_answer_ms", command.no_answer_ms, NO_ANSWER_LEAST_MS, NO_ANSWER_MAX_MS)
        line = self._line_of(command.leg)
        if self._lines.book.state(command.leg).native:
            raise LineError("LIN-096", f"leg {command.leg} is joined inside the card, so no digits can be sent on it", "Part it first")
        if self._begins(command.leg, command.transfer_id):
            line.transfer(command.number, command.when, command.no_answer_ms)

    def _begins(self, leg: str, transfer_id: int) -> bool:
        """False for one that was begun before."""
        before = self._lines.book.state(leg).transfer
        if before and transfer_id and before.transfer_id == transfer_id:
            return False
        self._lines.book.update(leg, transfer=TransferState(transfer_id))
        return True

    def _line_of(self, leg: str) -> ExchangeLine:
        self._lines.state_in(leg, LegPhase.ANSWERED)
        channel = self._lines.channel_of(leg)
        if channel.line is None:
            what = f"leg {leg} is on channel {channel.number}, which is no analogue line of a switch"
            raise LineError("LIN-092", what, "Only a line on an FXO port can be flashed")
        return channel.line
