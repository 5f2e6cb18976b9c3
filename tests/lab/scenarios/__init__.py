"""Lab scenarios; each module is found by its name, see tests/lab/scenario.py."""
