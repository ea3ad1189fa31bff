"""What is trusted of a file: its kind, its size, its cells; and how a result is put in its place."""
