Option Explicit
Option Private Module

' What the function shows in its cell. XLPy is in the module of xlwings, which starts Python.
Public Function XlcalcCall(ByVal udf As String, ByVal args As Variant) As Variant
    Dim result As Variant, i As Long, j As Long
    On Error GoTo failed
    result = XLPy.CallUDF("udfs.xlwings_functions", udf, args, ThisWorkbook, Application.Caller)
    If Not IsArray(result) Then
        result = ErrorOrSame(result)
    ElseIf HasColumns(result) Then
        For i = LBound(result, 1) To UBound(result, 1)
            For j = LBound(result, 2) To UBound(result, 2)
                result(i, j) = ErrorOrSame(result(i, j))
            Next j
        Next i
    Else
        For i = LBound(result) To UBound(result)
            result(i) = ErrorOrSame(result(i))
        Next i
    End If
    XlcalcCall = result
    Exit Function
failed:
    XlcalcCall = CVErr(2015)
End Function

' xlwings returns a single row as an array of one dimension.
Private Function HasColumns(ByRef values As Variant) As Boolean
    Dim last As Long
    On Error GoTo oneRow
    last = UBound(values, 2)
    HasColumns = True
oneRow:
End Function

' Python returns an error value as its text; any other text stays as it is.
Private Function ErrorOrSame(ByVal cell As Variant) As Variant
    Dim number As Long
    ErrorOrSame = cell
    If VarType(cell) <> vbString Then Exit Function
    Select Case cell
        Case "#NULL!": number = 2000
        Case "#DIV/0!": number = 2007
        Case "#VALUE!": number = 2015
        Case "#REF!": number = 2023
        Case "#NAME?": number = 2029
        Case "#NUM!": number = 2036
        Case "#N/A": number = 2042
        Case "#GETTING_DATA": number = 2043
        Case "#SPILL!": number = 2045
        Case "#CONNECT!": number = 2046
        Case "#BLOCKED!": number = 2047
        Case "#UNKNOWN!": number = 2048
        Case "#FIELD!": number = 2049
        Case "#CALC!": number = 2050
        Case "#BUSY!": number = 2051
        Case Else: Exit Function
    End Select
    ErrorOrSame = CVErr(number)
End Function
