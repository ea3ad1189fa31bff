"""Excel with macros: the functions, buttons and ribbon that a workbook carries as VBA."""
