@echo off
rem Installs xlcalc for the user who runs it. Needs Python for Windows; no network, no administrator.
rem   install.bat /quiet   asks nothing and waits for no key
setlocal EnableExtensions DisableDelayedExpansion
set "HERE=%~dp0"
set "QUIET=%~1"
if not defined LOCALAPPDATA goto no_profile
set "TARGET=%LOCALAPPDATA%\xlcalc"
set "VENV=%TARGET%\venv"
if not exist "%HERE%wheels\requirements.txt" goto incomplete
if not exist "%HERE%guide\" goto incomplete

tasklist /FI "IMAGENAME eq EXCEL.EXE" 2>nul | find /I "EXCEL.EXE" >nul
if not errorlevel 1 goto excel_open

rem The launcher must not fetch a Python that is missing.
set "PYTHON_MANAGER_AUTOMATIC_INSTALL=false"
set "PYLAUNCHER_ALLOW_INSTALL="
set "PYTHON="
for %%V in (@VERSIONS@) do if not defined PYTHON call :try py -%%V
if not defined PYTHON call :try python
if not defined PYTHON goto no_python
echo [1/3] Python: %PYTHON%

echo [2/3] %VENV%
%PYTHON% -m venv --clear "%VENV%"
if errorlevel 1 goto failed
"%VENV%\Scripts\python.exe" -m pip --isolated install --no-index --find-links "%HERE%wheels" --require-hashes --disable-pip-version-check --no-warn-script-location -r "%HERE%wheels\requirements.txt"
if errorlevel 1 goto failed

echo [3/3] xlwings.conf
"%VENV%\Scripts\python.exe" -m macros_bridge.addin.install "%HERE%."
if errorlevel 1 goto failed
call :wait
exit /b 0

:try
%* -c "import struct, sys; sys.exit(not (@FIRST@ <= sys.version_info[:2] <= @LAST@ and struct.calcsize('P') == 8))" >nul 2>nul
if not errorlevel 1 set "PYTHON=%*"
exit /b 0

:no_profile
echo LOCALAPPDATA is not set.
goto stop

:incomplete
echo The folder is incomplete: unpack the whole archive first.
type "%HERE%messages\incomplete.txt" 2>nul
goto stop

:excel_open
echo Excel is running: close it first.
type "%HERE%messages\excel-open.txt"
goto stop

:no_python
echo No suitable Python was found.
type "%HERE%messages\no-python.txt"
goto stop

:failed
echo The installation did not succeed.
type "%HERE%messages\failed.txt"
goto stop

:stop
call :wait
exit /b 1

:wait
if /I not "%QUIET%"=="/quiet" pause
exit /b 0
