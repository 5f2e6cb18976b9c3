"""The box's network: interfaces by role, addresses, routes, names, firewall; a change is tried for a minute, then taken back unless
confirmed.

`messages` and `model` are data and may be imported by anyone; `actions` is the table of requests and loads the rest when one comes;
everything that touches the kernel runs in careline-system alone.
"""
