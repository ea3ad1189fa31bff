@echo off
rem Removes what install.bat installed for this user. Workbooks are not touched.
rem   uninstall.bat /quiet   waits for no key
setlocal EnableExtensions DisableDelayedExpansion
set "HERE=%~dp0"
set "QUIET=%~1"
if not defined LOCALAPPDATA goto stop
set "TARGET=%LOCALAPPDATA%\xlcalc"

tasklist /FI "IMAGENAME eq EXCEL.EXE" 2>nul | find /I "EXCEL.EXE" >nul
if not errorlevel 1 goto excel_open

if not exist "%TARGET%\venv\Scripts\python.exe" goto files
"%TARGET%\venv\Scripts\python.exe" -m macros_bridge.addin.install --remove
if errorlevel 1 goto failed

:files
if exist "%TARGET%" rmdir /S /Q "%TARGET%"
if exist "%TARGET%" goto failed
echo Removed.
type "%HERE%messages\removed.txt"
call :wait
exit /b 0

:excel_open
echo Excel is running: close it first.
type "%HERE%messages\excel-open.txt"
goto stop

:failed
echo Not everything could be removed.
type "%HERE%messages\not-removed.txt"
goto stop

:stop
call :wait
exit /b 1

:wait
if /I not "%QUIET%"=="/quiet" pause
exit /b 0
