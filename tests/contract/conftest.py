"""The suites' own asserts speak as those of a test module do."""

import pytest

CARDS = ("card_bench", "card_trunks", "card_sets", "card_audio", "card_pulses")
SPANS = ("e1_bench", "link_suite", "bits_suite", "span_suite")

for suite in (*CARDS, *SPANS):
    pytest.register_assert_rewrite(f"tests.contract.{suite}")
