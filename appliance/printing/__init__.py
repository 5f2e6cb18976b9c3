"""`careline printers`: the process that brings work items to paper. A process of its own, since the call agent has no network and waits for
nobody; killed at any moment, no slip comes out twice unseen: what was on its way is a dead letter that somebody looks into.
"""
