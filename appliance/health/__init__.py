"""`careline health`: watches the box, raises alarms and tells of them. A process of its own, so that it can tell when any other is dead;
killed at any moment, it goes on with the alarms that are open in the store.

`facts` and what gathers them (watch, machine, services, ups, contacts) → `looks` (what is wrong) → `judge` (for how long: an alarm) →
`journal` (the store, messages to receivers) → senders (mail, traps, contacts, metrics, panel).
"""
