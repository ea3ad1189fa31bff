"""Stand-ins for pywin32, so that xlwings runs the code it runs beside Excel on Windows; see ``excel``."""
