"""One file per way of computing; packs say which numbers, these say how."""
