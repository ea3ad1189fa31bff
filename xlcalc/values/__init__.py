"""Values with their units: money, levels, dates, codes, text."""
