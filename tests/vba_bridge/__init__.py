"""The macros of a workbook, run by LibreOffice and answered by xlwings' own Windows code; see ``office``."""
