"""Timings to read, not to assert: ``make bench``."""
