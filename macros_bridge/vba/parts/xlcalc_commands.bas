Option Explicit

' Calls only: what a button does stands in macros_bridge.commands of the installed library, which also says what went
' wrong. Here are said the two things it cannot say itself, as code points, because this text is ASCII.

' No Python for xlcalc was found: run install.bat of the installation folder, then open this workbook again.
Private Const NOT_INSTALLED As String = _
    "6CA1 6709 627E 5230 0020 0078 006C 0063 0061 006C 0063 0020 6240 7528 7684 0020 0050 0079 0074 0068 " & _
    "006F 006E FF0C 6309 94AE 548C 51FD 6570 4E0D 80FD 5DE5 4F5C FF1B 8868 683C 4ECD 53EF 7167 5E38 586B " & _
    "5199 3001 6253 5370 3002 8BF7 8FD0 884C 5B89 88C5 5305 91CC 7684 0020 0069 006E 0073 0074 0061 006C " & _
    "006C 002E 0062 0061 0074 FF0C 518D 91CD 65B0 6253 5F00 672C 8868 3002"

' The command did not end: close all windows of Excel and try again, else run doctor.bat of that folder.
Private Const NOT_DONE As String = _
    "547D 4EE4 6CA1 6709 5B8C 6210 3002 8BF7 5173 95ED 5168 90E8 0020 0045 0078 0063 0065 006C 0020 7A97 " & _
    "53E3 540E 91CD 65B0 6253 5F00 518D 8BD5 FF1B 4ECD 4E0D 884C 65F6 8FD0 884C 5B89 88C5 5305 91CC 7684 " & _
    "0020 0064 006F 0063 0074 006F 0072 002E 0062 0061 0074 FF0C 628A 5B83 663E 793A 7684 5185 5BB9 544A " & _
    "77E5 7EF4 62A4 4EBA 5458 3002"

Public Sub XlcalcCheck()
    Press "check"
End Sub

Public Sub XlcalcCalculate()
    Press "calculate"
End Sub

Public Sub XlcalcExport()
    Press "export"
End Sub

Public Sub XlcalcChoices()
    Press "choices"
End Sub

Public Sub XlcalcHelp()
    Press "help"
End Sub

' The ribbon hands over its control. As Object, so that the project needs no reference to the library of Office.
Public Sub RibbonCheck(control As Object)
    Press "check"
End Sub

Public Sub RibbonCalculate(control As Object)
    Press "calculate"
End Sub

Public Sub RibbonExport(control As Object)
    Press "export"
End Sub

Public Sub RibbonChoices(control As Object)
    Press "choices"
End Sub

Public Sub RibbonHelp(control As Object)
    Press "help"
End Sub

' Through the same Python as the functions, and not through RunPython, which shows a traceback when it fails.
Private Sub Press(ByVal command As String)
    Dim message As String
    On Error GoTo failed
    message = NOT_INSTALLED
    If FileExists(GetConfig("INTERPRETER_WIN", "")) Then message = NOT_DONE
    XLPy.SetAttr XLPy.Module("xlwings._xlwindows"), "BOOK_CALLER", ThisWorkbook
    XLPy.Exec "import macros_bridge.commands; macros_bridge.commands.press('" & command & "')"
    Exit Sub
failed:
    MsgBox InWords(message), vbExclamation, "xlcalc"
End Sub

Private Function InWords(ByVal codes As String) As String
    Dim code As Variant
    For Each code In Split(codes, " ")
        InWords = InWords & ChrW(CLng("&H" & code))
    Next code
End Function
