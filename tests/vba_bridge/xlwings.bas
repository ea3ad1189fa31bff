Option Explicit

' In place of the module of xlwings, whose code LibreOffice cannot run.
Public Function XLPy()
    Set XLPy = CreateUnoService("org.xlcalc.VbaBridge")
End Function
