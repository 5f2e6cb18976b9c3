"""Recordings of calls and messages as files and rows: where they lie, which numbers messages get, what does not match."""
