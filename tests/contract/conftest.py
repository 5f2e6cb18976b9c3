"""The suite's own asserts speak as those of a test module do."""

import pytest

pytest.register_assert_rewrite(*(f"tests.contract.card_{part}" for part in ("bench", "trunks", "sets", "audio")))
