"""Programs that evaluate a workbook's own formulas: the ``formulas`` package, and LibreOffice as the referee."""
