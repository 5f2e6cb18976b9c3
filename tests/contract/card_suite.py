"""What every card must do, written once: `CASES` runs over a `CardBench`, which is a card with somebody at the far end of its lines.

Plain coroutines with asserts, no test runner needed: here they run on the virtual card (test_card.py), in the lab guest on real
DAHDI drivers. Only the bench knows which it is. Waits go through the bench, whose time may be virtual.
"""

from tests.contract import card_audio, card_pulses, card_sets, card_trunks
from tests.contract.card_bench import LIMIT_MS, CardBench, Case, Cases

__all__ = ["CASES", "LIMIT_MS", "CardBench", "Case"]

CASES: Cases = card_trunks.CASES | card_sets.CASES | card_audio.CASES | card_pulses.CASES
