"""The recommendation tables: one enterprise a row, each with its amount."""
