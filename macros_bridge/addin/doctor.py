"""Looks at a PC and says, line by line, what works, what to mind and what does not, each with what to do about it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, distribution, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from macros_bridge.addin.diagnosis import Line, State
from macros_bridge.addin.install import KEY
from macros_bridge.addin.lock import PYTHONS, locked_versions
from macros_bridge.addin.machine import Machine
from macros_bridge.addin.office import office_lines
from workbooks.engines import libreoffice_engine
from xlcalc import __version__
from xlcalc.errors import EngineError, XlcalcError

REINSTALL = "请关闭 Excel 后重新运行安装包里的 install.bat"
_DLL = re.compile(r"xlwings(?:32|64)-([0-9][0-9A-Za-z.]*?)\.dll")
_EXTENSION = "org.xlcalc.functions"


def doctor(workbook: Path | None = None, machine: Machine | None = None) -> list[Line]:
    """What there is to say of this PC and, if given, of one .xlsm on it; nothing is changed."""
    machine = machine or Machine.here()
    checks: list[Callable[[], Iterator[Line]]] = [
        lambda: _python(machine),
        lambda: _versions(machine),
        lambda: _macros_and_dll(machine, workbook),
        lambda: _writable(machine),
    ]
    if machine.windows:
        checks += [lambda: _configuration(machine, workbook), lambda: office_lines(machine, workbook)]
    checks.append(lambda: _libreoffice(machine))
    lines: list[Line] = []
    for check in checks:
        try:
            lines += check()
        except XlcalcError as error:
            lines.append(Line("bad", "检查", error.message, error.remedy))
    return lines


def failed(lines: list[Line]) -> bool:
    """Whether something does not work; then the exit code is 1."""
    return any(line.state == "bad" for line in lines)


def document(lines: list[Line]) -> dict[str, Any]:
    """The ``xlcalc.doctor/1`` document."""
    rows = [{"state": line.state, "what": line.what, "found": line.found, "remedy": line.remedy} for line in lines]
    return {"format": "xlcalc.doctor/1", "lines": rows}


# --- Python and what is installed in it


def _python(machine: Machine) -> Iterator[Line]:
    shown = f"{'.'.join(map(str, machine.python))}，{machine.bits} 位，{machine.executable}"
    oldest, newest = (tuple(map(int, python.split("."))) for python in (PYTHONS[0], PYTHONS[-1]))
    if machine.python[:2] < oldest:
        yield Line("bad", "Python", shown, f"请安装 64 位的 Python {PYTHONS[0]} 或更新版本，再运行 install.bat")
    elif machine.windows and machine.bits != 64:
        yield Line("bad", "Python", shown, "安装包只含 64 位组件，请安装 64 位的 Python（Excel 为 32 位也一样）")
    elif machine.windows and machine.python[:2] > newest:
        yield Line("mind", "Python", shown, f"安装包没有为此版本准备组件，最新支持 {PYTHONS[-1]}")
    else:
        yield Line("ok", "Python", shown)


def _lock(machine: Machine) -> Path | None:
    sources = Path(__file__).parents[2] / "requirements" / "base.txt"
    places = [machine.home / "requirements.txt"] if machine.home else []
    return next((place for place in (*places, sources) if place.is_file()), None)


def _versions(machine: Machine) -> Iterator[Line]:
    """What is installed against what was tested together."""
    path = _lock(machine)
    if path is None:
        yield Line("mind", "组件版本", "没有找到锁定清单，无法核对", REINSTALL)
        return
    python = f"{machine.python[0]}.{machine.python[1]}"
    wanted = locked_versions(path, python)
    if not machine.windows:
        wanted = {name: wanted[name] for name in wanted if installed(name)}
    different = [(name, installed(name), pinned) for name, pinned in wanted.items() if installed(name) != pinned]
    if different:
        shown = "、".join(f"{name} {held or '未安装'}（应为 {pinned}）" for name, held, pinned in different)
        yield Line("bad" if machine.windows else "mind", "组件版本", shown, REINSTALL if machine.windows else
                   "请按 requirements 里的锁定文件重新安装")  # fmt: skip
    else:
        yield Line("ok", "组件版本", f"{len(wanted)} 个组件与锁定清单一致")
    if machine.windows and find_spec("pythoncom") is None:
        yield Line("bad", "pywin32", "没有安装或不能加载，Excel 连不上 Python", REINSTALL)


def installed(name: str) -> str | None:
    """The version of a package in this Python, None without it."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _macros_and_dll(machine: Machine, workbook: Path | None) -> Iterator[Line]:
    """The macros name the DLL of xlwings by version: another version does not load."""
    held = installed("xlwings")
    if held is None:
        state: State = "bad" if machine.windows else "ok"
        yield Line(state, "xlwings", "没有安装" + ("" if machine.windows else "，只有 Windows 的 Excel 需要它"),
                   REINSTALL if machine.windows else "")  # fmt: skip
        return
    named = _dll_versions(_xlwings_macros())
    if named != {held}:
        yield Line("bad", "xlwings", f"宏文件所指的版本 {'、'.join(named) or '不明'} 与所装的 {held} 不同", REINSTALL)
    if machine.windows:
        dll = f"xlwings64-{held}.dll"
        if not (machine.prefix / dll).is_file():
            yield Line("bad", "xlwings", f"缺少 {machine.prefix / dll}，Excel 连不上 Python", REINSTALL)
            return
    if workbook is None:
        yield Line("ok", "xlwings", held)
        return
    named = _dll_versions(macro_text(workbook))
    if not named:
        yield Line(
            "bad", "工作簿的宏", f"{workbook.name} 里没有 xlwings 的宏", "请改用安装包 templates 里的 .xlsm 模板"
        )
    elif named != {held}:
        shown = f"{workbook.name} 需要 xlwings {'、'.join(sorted(named))}，本机是 {held}"
        yield Line("bad", "工作簿的宏", shown, "请用本次安装包 templates 里的 .xlsm 模板，把数据粘贴进去")
    else:
        yield Line("ok", "工作簿的宏", f"{workbook.name} 与本机的 xlwings {held} 一致")


def _dll_versions(text: str) -> set[str]:
    return set(_DLL.findall(text))


def _xlwings_macros() -> str:
    path = Path(str(distribution("xlwings").locate_file("xlwings/xlwings.bas")))
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def macro_text(workbook: Path) -> str:
    """The source of all macros of a workbook; raises EngineError ``E-ADDIN-VBA`` where there are none to be read."""
    try:
        from pyopenvba import ExcelFile

        with ExcelFile(workbook) as file:
            return "\n".join(file.get_module(name) for name in file.module_names())
    except Exception:  # noqa: BLE001 - whatever is wrong with it, its macros cannot be read
        raise EngineError(
            "E-ADDIN-VBA", f"{workbook.name} 没有宏，或宏读不出来", remedy="请给出安装包 templates 里那样的 .xlsm 文件"
        ) from None


# --- the settings of the macros


def _configuration(machine: Machine, workbook: Path | None) -> Iterator[Line]:
    conf = machine.xlwings_conf
    value = _setting(conf)
    if conf is None or value is None:
        yield Line("bad", "Python 的位置", f"{conf} 里没有 {KEY}，表格找不到 Python", REINSTALL)
    elif not (used := Path(machine.expanded(value).replace("\\", _separator(machine)))).is_file():
        yield Line("bad", "Python 的位置", f"{conf} 指向不存在的 {used}", REINSTALL)
    elif used != machine.executable:
        yield Line("mind", "Python 的位置", f"表格使用 {used}，现在检查的是 {machine.executable}",
                   "如非有意，请重新运行 install.bat")  # fmt: skip
    else:
        yield Line("ok", "Python 的位置", str(used))
    if workbook is not None and _setting(workbook.with_name("xlwings.conf")) is not None:
        yield Line("mind", "Python 的位置", f"{workbook.parent} 里另有 xlwings.conf，它优先于本机设置",
                   "如非有意，请移走该文件")  # fmt: skip


def _separator(machine: Machine) -> str:
    """Of paths on the computer this runs on, which in tests is not the one that is looked at."""
    return "\\" if "\\" in str(machine.executable) else "/"


def _setting(conf: Path | None) -> str | None:
    if conf is None or not conf.is_file():
        return None
    for line in conf.read_text(encoding="gbk", errors="replace").splitlines():
        name, _, value = line.partition(",")
        if name.strip().strip('"').upper() == KEY:
            return value.strip().strip('"')
    return None


def _writable(machine: Machine) -> Iterator[Line]:
    folders = [Path(tempfile.gettempdir()), *([machine.home] if machine.home and machine.home.is_dir() else [])]
    for folder in folders:
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError:
            yield Line("bad", "写入权限", f"不能写入 {folder}", "请检查磁盘空间和文件夹权限，或联系信息部门")
            return
    yield Line("ok", "写入权限", "、".join(map(str, folders)))


# --- LibreOffice


def _libreoffice(machine: Machine) -> Iterator[Line]:
    try:
        held = libreoffice_engine.version()
    except EngineError as error:
        remedy = "" if machine.windows else "需要函数或 PDF 时，请安装 LibreOffice 25.2 或更新版本"
        note = "（Excel 用户不需要）" if machine.windows else ""
        yield Line("ok" if machine.windows else "mind", "LibreOffice", f"{error.message}{note}", remedy)
        return
    shown = ".".join(map(str, held))
    if held < libreoffice_engine.OLDEST:
        oldest = ".".join(map(str, libreoffice_engine.OLDEST))
        yield Line("mind", "LibreOffice", f"版本 {shown} 过旧", f"需要函数或 PDF 时，请升级到 {oldest} 或更新版本")
        return
    added = _extension_version(libreoffice_engine.user_profile())
    if added is None:
        yield Line("mind", "LibreOffice", f"{shown}，没有安装函数插件",
                   "只用普通 .xlsx 不必安装；要用 XLC_ 函数请运行 xlcalc addin install")  # fmt: skip
    elif added != __version__:
        yield Line("mind", "LibreOffice", f"{shown}，插件版本 {added}，本软件 {__version__}",
                   "请运行 xlcalc addin install 更新插件")  # fmt: skip
    else:
        yield Line("ok", "LibreOffice", f"{shown}，插件 {added}")


def _extension_version(profile: Path) -> str | None:
    """The version of our add-in in a profile; None where it is not installed."""
    for path in sorted(profile.glob("user/uno_packages/cache/uno_packages/*/*/description.xml")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if _EXTENSION in text and (match := re.search(r'<version\s+value="([^"]*)"', text)):
            return match[1]
    return None
