"""Excel files: official forms built from packs, read back, recalculated and reported on."""
