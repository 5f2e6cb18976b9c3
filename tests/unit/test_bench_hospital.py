"""The bench of the hospital's store, in small: that it still fits the tables."""

from tests.bench import hospital


def test_the_figures_of_a_small_hospital() -> None:
    figures = hospital.measure(patients=200, drug_count=50, looks=10)
    assert set(figures) == {"patient_open_ms_p95", "drug_read_ms_p95"}
    assert all(0 < value < 5_000 for value in figures.values())
