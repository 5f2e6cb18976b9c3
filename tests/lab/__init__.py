"""The line lab: the kernel's real DAHDI drivers in an emulated guest. `python -m tests.lab.run` runs its
scenarios."""
