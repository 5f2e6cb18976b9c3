"""Recordings that are older than the hospital wants to keep them are deleted at night, and what was deleted is written down.

`expiry`: one night's work; `clock`: whether the box's clock is to be believed; `nights`: when.
"""
