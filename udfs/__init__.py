"""The functions a cell may call: one registry, one adapter, and what each front end generates from them."""
