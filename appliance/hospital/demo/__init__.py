"""A made-up hospital for `make demo`: the same from the same seed, in small transactions beside a call agent that runs (filling.py).

Nobody in it is real: names are put together by chance, identity numbers are of a region that does not exist (99), mobile numbers begin with
154, which no operator has. The texts use words of the phrase bank, so that they are spoken well.
"""

SEED = 20260308
PASSWORD = "258046"
"""Of every demo card."""
