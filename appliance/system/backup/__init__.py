"""Backups of the box and their restoring: what is kept, sealed how, where to, when; proved by reading back. See docs/backup.md."""
