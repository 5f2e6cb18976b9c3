"""Calls made at the telephone sets of the house: where a dialled number leads, and the call there.

Sees routing, config and the verbs of a call.
"""
