"""What every test shares. Fixtures of one suite live in that suite's own conftest."""
