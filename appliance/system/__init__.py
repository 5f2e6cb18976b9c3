"""The box itself: its health (network, backup and update come with their issues)."""
