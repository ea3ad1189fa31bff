"""LibreOffice as an independent referee: it recalculates whole files, many in one process.

Our functions it knows only by the add-in, which the user has to have installed; files that call them without it
are refused.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

from openpyxl.utils.datetime import to_excel
from platformdirs import user_config_path

from workbooks.engines.formulas_engine import CellKey, Value, formula_cells, open_book
from workbooks.files.temporary import ensure_room, is_full, temporary_folder
from xlcalc import __version__
from xlcalc.errors import EngineError

EXTENSION = "org.xlcalc.functions"
"""The add-in with our functions."""
OLDEST = (25, 2)
XLSX = 'xlsx:"Calc MS Excel 2007 XML"'

_USUAL_PLACES = (
    "/usr/bin/soffice",
    "/usr/lib/libreoffice/program/soffice",
    "/opt/libreoffice*/program/soffice",
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    "C:/Program Files/LibreOffice/program/soffice.exe",
)
# Always recalculate: by default cached values of files "from Microsoft Excel" are believed. Nothing active runs.
_SETTINGS = (
    ("/org.openoffice.Office.Calc/Formula/Load", "OOXMLRecalcMode", "0"),
    ("/org.openoffice.Office.Calc/Formula/Load", "ODFRecalcMode", "0"),
    ("/org.openoffice.Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("/org.openoffice.Office.Common/Security/Scripting", "DisableActiveContent", "true"),
)

_STAND_INS = dict.fromkeys(("方正小标宋简体", "仿宋", "宋体"), "Noto Serif CJK SC") | {"黑体": "Noto Sans CJK SC"}
"""The fonts of official papers, and what is printed instead where one is missing: by itself LibreOffice would take a
sans-serif for 仿宋."""

_OUR_CALL = re.compile(r"\bXLC_[A-Z_]+\(", re.IGNORECASE)

Values = dict[CellKey, Value]


def evaluate_libreoffice(
    paths: Sequence[Path], timeout: float, profile: Path | None = None
) -> dict[Path, Values | EngineError]:
    """Every formula cell of every file, recalculated; for a file that could not be, the error in its place.

    timeout: seconds for all files together. profile: where the add-in is looked for when cells call our
    functions, else the user's own. Raises EngineError ``E-ENGINE-LIBREOFFICE`` when LibreOffice is missing or
    too old.
    """
    results: dict[Path, Values | EngineError] = {}
    wanted: dict[Path, list[CellKey]] = {}
    addin: Path | None = None
    for path in dict.fromkeys(paths):
        try:
            cells = formula_cells(open_book(path))
            if any(_OUR_CALL.search(formula.text) for formula in cells.values()):
                addin = addin or _addin(path, profile or user_profile())
            wanted[path] = [(sheet, place) for (sheet, ref), formula in cells.items() for place in formula.cells(ref)]
        except EngineError as error:
            results[path] = error
    with temporary_folder("xlcalc-") as folder:
        for path, copy in convert(list(wanted), XLSX, folder, timeout, addin).items():
            try:
                results[path] = copy if isinstance(copy, EngineError) else _values(copy, wanted[path])
            except EngineError as error:
                results[path] = error
    return {path: results[path] for path in dict.fromkeys(paths)}


def convert(
    paths: Sequence[Path],
    format: str,
    outdir: Path,
    timeout: float,  # noqa: A002 - soffice's own word
    addin: Path | None = None,
    *,
    own: bool = False,
) -> dict[Path, Path | EngineError]:
    """Converts files with one soffice process; format as ``--convert-to`` takes it, such as ``pdf`` or ``XLSX``.

    addin: a profile's folder of installed extensions, for files whose cells call our functions.
    own: the files were made here from nothing, so that their charts, which are embedded objects, may be shown.
    The results lie in outdir under numbered names (``f0000.pdf``), whatever the inputs are called. A file
    that gave no result has the EngineError in its place. Raises WorkbookError ``E-TEMP`` where there is no room.
    """
    office = _office()
    if not paths:
        return {}
    outdir = outdir.resolve()
    outdir.mkdir(parents=True, exist_ok=True)
    suffix = format.partition(":")[0]
    results: dict[Path, Path | EngineError] = {}
    with temporary_folder("xlcalc-lo-") as home:
        (home / "in").mkdir()
        names: dict[Path, str] = {}
        for path in dict.fromkeys(paths):
            name = f"f{len(names):04d}"
            try:
                shutil.copyfile(path, home / "in" / f"{name}{path.suffix.lower()}")
                names[path] = name
            except OSError as error:
                if is_full(error):
                    raise
                results[path] = EngineError(
                    "E-ENGINE-FILE", f"无法读取文件：{error}", where=path.name, remedy="请检查文件是否存在、是否被占用"
                )
        options = _private(home, own=own)
        if addin is not None:
            shutil.copytree(addin, home / "profile" / "user" / addin.name)
        inputs = [f"in/{name}{path.suffix.lower()}" for path, name in names.items()]
        said = _run(
            [str(office), *options, "--convert-to", format.replace('"', ""), "--outdir", str(outdir), *inputs],
            home,
            timeout,
        )
        for path, name in names.items():
            made = outdir / f"{name}.{suffix}"
            if not made.is_file() or not made.stat().st_size:
                ensure_room(home)
                results[path] = _failed(path, said)
            else:
                results[path] = made
    return {path: results[path] for path in dict.fromkeys(paths)}


def find_soffice() -> Path | None:
    """The LibreOffice program, None when it is not installed."""
    if on_path := shutil.which("soffice"):
        return Path(on_path)
    for place in map(Path, _USUAL_PLACES):
        root = Path(place.anchor)
        found = sorted(root.glob(str(place.relative_to(root)))) if place.anchor else []
        if found:
            return found[-1]
    return None


def version() -> tuple[int, ...]:
    """The installed version, such as ``(25, 2, 3, 2)``; raises EngineError ``E-ENGINE-LIBREOFFICE`` without one."""
    office = find_soffice()
    if office is None:
        raise _missing("没有安装 LibreOffice")
    return _version(office)


@cache
def _version(office: Path) -> tuple[int, ...]:
    with temporary_folder("xlcalc-lo-") as folder:
        try:
            said = _run([str(office), *_private(folder)[:1], "--version"], folder, 60)
        except OSError as error:
            if is_full(error):
                raise
            said = ""
    found = re.search(r"LibreOffice (\d+(?:\.\d+)+)", said)
    if found is None:
        raise _missing("LibreOffice 无法启动")
    return tuple(map(int, found[1].split(".")))


def _office() -> Path:
    office = find_soffice()
    if office is None:
        raise _missing("没有安装 LibreOffice")
    held = _version(office)
    if held < OLDEST:
        raise _missing(f"LibreOffice 版本 {'.'.join(map(str, held))} 过旧，须为 {'.'.join(map(str, OLDEST))} 或更新")
    return office


def _missing(what: str) -> EngineError:
    return EngineError(
        "E-ENGINE-LIBREOFFICE",
        what,
        remedy="Debian 上可运行 tests/install-libreoffice.sh 安装；其他系统请从其官网安装，或改用 direct 引擎",
    )


def user_profile() -> Path:
    """Where LibreOffice keeps this user's settings and extensions."""
    return user_config_path("libreoffice", appauthor=False, roaming=True) / "4"


def _addin(path: Path, profile: Path) -> Path:
    """The profile's folder of extensions, ours of this version being one of them."""
    folder = profile / "user" / "uno_packages"
    ours = f'<identifier value="{EXTENSION}"/>\n<version value="{__version__}"/>'
    if any(ours in file.read_text("utf-8") for file in folder.glob("cache/uno_packages/*/*/description.xml")):
        return folder
    raise EngineError(
        "E-ENGINE-FUNCTION",
        "单元格调用了 XLC_ 函数，而 LibreOffice 中没有安装本版本的函数插件",
        where=path.name,
        remedy="请先安装插件，或改用 direct、formulas 引擎",
    )


def _failed(path: Path, said: str) -> EngineError:
    if said == _TIMED_OUT:
        return EngineError(
            "E-ENGINE-TIMEOUT", "LibreOffice 未在规定时间内完成", where=path.name, remedy="请减少每次的文件数或延长时限"
        )
    return EngineError(
        "E-ENGINE-CONVERT",
        "LibreOffice 无法打开或转换此文件",
        where=path.name,
        remedy="请用 Excel 或 WPS 打开，去掉密码后另存为 .xlsx",
    )


_TIMED_OUT = "timed out"


def _private(home: Path, *, own: bool = False) -> list[str]:
    """A fresh profile of this process's own, so that no other office and no user setting has a say."""
    user = home / "profile" / "user"
    user.mkdir(parents=True)
    items = "".join(
        f'<item oor:path="{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
        for path, name, value in _SETTINGS
        if not (own and name == "DisableActiveContent")
    )
    items += "".join(_replacement(name, other) for name, other in _missing_fonts().items())
    (user / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{items}</oor:items>\n',
        encoding="utf-8",
    )
    return [f"-env:UserInstallation={(home / 'profile').as_uri()}", "--headless", "--norestore", "--nolockcheck"]


@cache
def _missing_fonts() -> dict[str, str]:
    """Font -> what stands in for it, for those that fontconfig does not know; nothing where there is no fontconfig."""
    program = shutil.which("fc-list")
    if program is None:
        return {}
    done = subprocess.run([program, ":", "family"], capture_output=True, check=False)
    known = {name.strip() for name in re.split("[,\n]", done.stdout.decode(errors="replace"))}
    return {name: other for name, other in _STAND_INS.items() if name not in known and other in known}


def _replacement(name: str, other: str) -> str:
    """One row of LibreOffice's table of replaced fonts."""
    values = {"ReplaceFont": name, "SubstituteFont": other, "Always": "true", "OnScreenOnly": "false"}
    props = "".join(f'<prop oor:name="{key}"><value>{value}</value></prop>' for key, value in values.items())
    table = "/org.openoffice.Office.Common/Font/Substitution"
    return (
        f'<item oor:path="{table}"><prop oor:name="Replacement" oor:op="fuse"><value>true</value></prop></item>'
        f'<item oor:path="{table}/FontPairs"><node oor:name="_{name}" oor:op="replace">{props}</node></item>'
    )


def _run(command: list[str], home: Path, timeout: float) -> str:
    """What the program printed; the whole process group is ended when the time is up."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}
    if os.name == "nt":
        environment = {**os.environ, **environment, "PATH": os.environ.get("PATH", "")}
    process = subprocess.Popen(
        command,
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=timeout)
        return said.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return _TIMED_OUT
    finally:
        end_process(process)


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and whatever it started, at once."""
    if process.poll() is None:
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _values(copy: Path, wanted: Sequence[CellKey]) -> Values:
    book = open_book(copy, data_only=True)
    for sheet, ref in wanted:
        if sheet not in book.sheetnames:
            raise EngineError("E-ENGINE-CONVERT", "LibreOffice 没有保留此工作表", where=f"{sheet}!{ref}")
    return {(sheet, ref): _plain(book[sheet][ref].value, book.epoch) for sheet, ref in wanted}


def _plain(value: object, epoch: datetime) -> Value:
    if value is None:
        return ""
    if isinstance(value, datetime | date | time | timedelta):
        serial: float = to_excel(value, epoch)
        return int(serial) if float(serial).is_integer() else serial
    return value if isinstance(value, bool | int | float | str) else str(value)
