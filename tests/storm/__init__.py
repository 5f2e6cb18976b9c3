"""The last places of a clinic sold by telephone: real programs, real time, a call agent that is killed. `python -m tests.storm`."""
