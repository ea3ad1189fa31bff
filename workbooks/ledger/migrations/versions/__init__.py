"""The steps, one a file, in the order their ``down_revision`` gives."""
