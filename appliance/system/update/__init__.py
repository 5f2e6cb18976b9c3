"""Updates of the box: signed bundles for the other root slot, kept only when the new version has proved itself; and the way back.

`messages` is data and may be imported by anyone; `actions` is the table of requests; `proof` is a program of its own
(careline-proof.service). RAUC copies and switches slots; everything here runs in careline-system, but for `proof`.
"""
