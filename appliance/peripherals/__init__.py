"""`careline peripherals`: text messages by a modem, call records and message lamps of another switch. A process of its own, since none of
it may hold up a call; each part is optional, and without any the process ends at once.
"""
