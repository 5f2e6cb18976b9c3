"""Slips of paper: what stands on them, as values, and how printers are told."""
