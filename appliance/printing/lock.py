"""The file in the data folder that the one `careline printers` of a box holds. Pure."""

LOCK = "printers.lock"
