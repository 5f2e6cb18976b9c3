"""An Astribank that a program plays: the wire (usbip), the box (boot loader, management, telephony), its place in sysfs."""
