"""What an evaluation yields, as objects, JSON and Chinese text."""
