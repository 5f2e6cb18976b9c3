"""The hospital: its people, money, registrations and cases, as plain functions on the store (README.md)."""
