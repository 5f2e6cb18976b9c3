"""Complaints: filed by telephone or form, seen to by an owner until the caller was told, never seen by whom they are about.

Everything here runs inside the caller's transaction.
"""
