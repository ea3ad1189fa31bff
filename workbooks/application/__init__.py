"""Application forms, described by a TOML each: built, prefilled and read."""
