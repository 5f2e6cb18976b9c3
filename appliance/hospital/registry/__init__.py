"""Who and what the hospital has: departments, staff, doctors, patients, cards, drugs, notices, VIPs. One module each.

Plain functions on the store, run inside the caller's transaction, in whatever thread that has; nothing here reads a clock.
"""
