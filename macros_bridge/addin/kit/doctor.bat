@echo off
rem Looks at the installation and says what is wrong; drop an .xlsm on it to have that looked at too.
setlocal EnableExtensions DisableDelayedExpansion
set "HERE=%~dp0"
if not defined LOCALAPPDATA goto missing
set "PYTHON=%LOCALAPPDATA%\xlcalc\venv\Scripts\python.exe"
if not exist "%PYTHON%" goto missing
"%PYTHON%" -m macros_bridge.addin.command doctor %*
set "RESULT=%ERRORLEVEL%"
pause
exit /b %RESULT%

:missing
echo xlcalc is not installed for this user.
type "%HERE%messages\not-installed.txt"
pause
exit /b 1
