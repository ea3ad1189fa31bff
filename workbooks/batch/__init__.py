"""Thousands of workbooks: one budget each, a journal, a report."""
