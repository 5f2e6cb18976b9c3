"""Gets cards ready before the line server starts: which card needs what, firmware files checked and kept, firmware into cards.

Runs as root in a process of its own (`careline firmware`), for seconds; nothing here is imported by another program.
"""
