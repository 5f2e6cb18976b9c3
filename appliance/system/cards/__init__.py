"""Telephony cards and their firmware files, for web and console: asked of `careline firmware`, a program of its own.

`messages` is data and may be imported by anyone; `actions` is the table of requests.
"""
