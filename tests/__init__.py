"""Tests, by what they need: unit, contract, media, scenarios, web, lab."""
