"""Gets cards ready before the line server starts: firmware, quirks, udev rules."""
