"""Dispatch: what somebody must see to goes to exactly one desk or printer, from there to another one if that is gone, or to the list of
dead letters. Everything but `desk_work` runs inside the caller's transaction.
"""
