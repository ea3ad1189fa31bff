"""The summary tables of a call for cases."""
