"""The box's own services, logs, time, restart, accounts, way back to the factory's state, and support bundle: requests and actions.

Actions import what is large (the store) only when they run.
"""
