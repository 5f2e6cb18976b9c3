"""The line server as a process of its own, on the card in software, with a hand at the cable: SIGUSR1 pulls the first span's, SIGUSR2 puts
it back. `python -m tests.cable --config F`.
"""

import signal
import sys

from drivers.config import LinesConfig
from drivers.io import Card
from drivers.media import Engine
from drivers.server import cards, program
from drivers.virtual.card import VirtualCard


def _card(lines: LinesConfig, engine: Engine) -> Card:
    card = cards.make_card(lines, engine)
    assert isinstance(card, VirtualCard)
    signal.signal(signal.SIGUSR1, lambda *_: card.set_span_alarm(1, "red"))
    signal.signal(signal.SIGUSR2, lambda *_: card.set_span_alarm(1))
    return card


if __name__ == "__main__":
    setattr(program, "make_card", _card)  # noqa: B010  # the program as it is, but for the card in our hand
    sys.exit(program.main())
