"""The documents an office makes from a run of filled workbooks: notices, review sheets, lists, payment tables."""
