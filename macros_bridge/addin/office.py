"""What the doctor looks up of Excel and WPS: installed or not, whether macros may run, which program opens a file.

From the registry keys that Microsoft's policy templates document; nothing of it was seen on a real Windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from macros_bridge.addin.diagnosis import Line
from macros_bridge.addin.machine import Machine

_VERSIONS = ("16.0", "15.0")
_OFFICE = "Software\\Microsoft\\Office"
_POLICY = "Software\\Policies\\Microsoft\\Office"
_APP_PATHS = "Software\\Microsoft\\Windows\\CurrentVersion\\App Paths"
_INTERNET = 3
_UNBLOCK = "请右键该文件—属性，勾选“解除锁定”后确定；或把文件放进受信任位置"
_ASK_IT = "由单位策略设定，请信息部门把模板所在文件夹设为受信任位置，或改用 .xlsx 模板"


def office_lines(machine: Machine, workbook: Path | None) -> Iterator[Line]:
    """Excel, its macros, the given workbook, WPS."""
    excel = _excel(machine)
    if excel is None:
        yield Line(
            "mind", "Excel", "没有找到 Excel 2013 或更新版本", "没有 Excel 时请用 .xlsx 模板（WPS、LibreOffice）"
        )
    else:
        yield Line("ok", "Excel", excel)
        yield _macro_setting(machine)
        yield from _locations(machine)
    if workbook is not None:
        yield _mark_of_the_web(machine, workbook)
    yield from _wps(machine)


def _excel(machine: Machine) -> str | None:
    found = _app(machine, "excel.exe")
    version = machine.registry.value(f"HKLM\\{_OFFICE}\\ClickToRun\\Configuration", "VersionToReport")
    bits = machine.registry.value(f"HKLM\\{_OFFICE}\\ClickToRun\\Configuration", "Platform")
    roots = [machine.registry.value(f"HKLM\\{_OFFICE}\\{number}\\Excel\\InstallRoot", "Path") for number in _VERSIONS]
    root = next((str(item) for item in roots if item), None)
    if not found and not root:
        return None
    more = "，".join(str(item) for item in (version, {"x64": "64 位", "x86": "32 位"}.get(str(bits))) if item)
    return f"{found or root}{f'（{more}）' if more else ''}"


def _app(machine: Machine, name: str) -> str | None:
    """Where a program is registered; for this user or for all."""
    keys = (f"HKCU\\{_APP_PATHS}\\{name}", f"HKLM\\{_APP_PATHS}\\{name}")
    return next((str(value) for key in keys if (value := machine.registry.value(key))), None)


def _macro_setting(machine: Machine) -> Line:
    """Whether macros may run: what a policy says goes before what the user chose."""
    policy = _first(machine, [f"{hive}\\{_POLICY}" for hive in ("HKCU", "HKLM")], "VBAWarnings")
    value = policy if policy is not None else _first(machine, [f"HKCU\\{_OFFICE}"], "VBAWarnings")
    whose = "单位策略" if policy is not None else "本机设置"
    disabled = _disabled(machine)
    if disabled:
        return Line("bad", "宏", "单位策略关闭了全部宏（VBA）", _ASK_IT)
    if value == 4:
        remedy = _ASK_IT if policy is not None else "请在 Excel 选项—信任中心—宏设置中选“禁用所有宏，并发出通知”"
        return Line("bad", "宏", f"{whose}：禁用所有宏且不提示，按钮和函数不能用", remedy)
    if value == 3:
        remedy = _ASK_IT if policy is not None else "请在信任中心改选“禁用所有宏，并发出通知”，或使用受信任位置"
        return Line("bad", "宏", f"{whose}：只运行有数字签名的宏，本模板没有签名", remedy)
    if value == 1:
        return Line("mind", "宏", f"{whose}：启用所有宏，任何文件的宏都会运行", "建议改为“禁用所有宏，并发出通知”")
    return Line("ok", "宏", f"{whose}：打开时提示，点“启用内容”即可")


def _disabled(machine: Machine) -> bool:
    keys = [f"{hive}\\{_POLICY}\\{number}\\Common" for hive in ("HKCU", "HKLM") for number in _VERSIONS]
    return any(machine.registry.value(key, "VBAOff") == 1 for key in keys)


def _first(machine: Machine, roots: list[str], name: str) -> object | None:
    keys = [f"{root}\\{number}\\Excel\\Security" for root in roots for number in _VERSIONS]
    return next((value for key in keys if (value := machine.registry.value(key, name)) is not None), None)


def trusted_locations(machine: Machine) -> list[tuple[str, bool]]:
    """The folders in which macros run unasked, and whether those below count too."""
    found = []
    for root in (f"HKCU\\{_POLICY}", f"HKLM\\{_POLICY}", f"HKCU\\{_OFFICE}"):
        for number in _VERSIONS:
            key = f"{root}\\{number}\\Excel\\Security\\Trusted Locations"
            if machine.registry.value(key, "AllLocationsDisabled") == 1:
                return []
            for name in machine.registry.subkeys(key):
                path = machine.registry.value(f"{key}\\{name}", "Path")
                below = machine.registry.value(f"{key}\\{name}", "AllowSubfolders") == 1
                if path:
                    found.append((machine.expanded(str(path)).rstrip("\\/"), below))
    return found


def _locations(machine: Machine) -> Iterator[Line]:
    held = trusted_locations(machine)
    if held:
        yield Line("ok", "受信任位置", "、".join(path for path, _ in held))
    else:
        yield Line("ok", "受信任位置", "没有设置（每个文件第一次打开时点“启用内容”）")


def _is_trusted(machine: Machine, workbook: Path) -> bool:
    folder = str(workbook.parent).replace("/", "\\").rstrip("\\").lower()
    for path, below in trusted_locations(machine):
        root = path.replace("/", "\\").lower()
        if folder == root or (below and folder.startswith(f"{root}\\")):
            return True
    return False


def _mark_of_the_web(machine: Machine, workbook: Path) -> Line:
    zone = machine.zone(workbook)
    if zone is None or zone < _INTERNET:
        return Line("ok", "文件来源", f"{workbook.name} 没有来自互联网的标记")
    if _is_trusted(machine, workbook):
        return Line("ok", "文件来源", f"{workbook.name} 有来自互联网的标记，但在受信任位置")
    return Line("bad", "文件来源", f"{workbook.name} 带有来自互联网的标记，Excel 不运行它的宏", _UNBLOCK)


def _wps(machine: Machine) -> Iterator[Line]:
    """WPS beside Excel often takes over the files of Excel; functions of a .xlsm do not work in it."""
    roots = ("HKCU\\Software", "HKLM\\Software", "HKLM\\Software\\WOW6432Node")
    keys = [f"{root}\\Kingsoft\\Office\\6.0\\Common" for root in roots]
    root = next((str(value) for key in keys if (value := machine.registry.value(key, "InstallRoot"))), None)
    held = root or _app(machine, "et.exe")
    if held is None:
        return
    user = "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\FileExts\\.xlsm\\UserChoice"
    opens = str(machine.registry.value(user, "ProgId") or machine.registry.value("HKCR\\.xlsm") or "")
    shown = f"已安装（{held}）。XLC_ 函数和按钮在 WPS 里不能用"
    if opens.upper().startswith(("ET.", "KET.", "WPS.")):
        remedy = "现在双击 .xlsm 会用 WPS 打开：请右键—打开方式—Excel；在 WPS 里请用 .xlsx 模板"
        yield Line("mind", "WPS", shown, remedy)
    else:
        yield Line("ok", "WPS", f"{shown}，在 WPS 里请用 .xlsx 模板")
