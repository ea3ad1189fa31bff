"""Policy packs: their shape on disk, strict loading, versions and choices."""
