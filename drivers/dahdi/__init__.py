"""Real cards, through the kernel's DAHDI drivers. `card.DahdiCard` is what the line server uses; see
README.md here.

Only device.py opens or speaks to /dev/dahdi. Everything else is pure or works on what device.py gives.
"""
