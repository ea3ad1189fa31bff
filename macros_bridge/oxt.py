"""The LibreOffice add-in: from the functions' registry to an .oxt file, and from there into a profile.

With it a plain .xlsx whose cells call =XLC_… computes in LibreOffice 25.2 or newer, on screen and in
``--convert-to``. The .oxt holds everything it needs but Python itself; pydantic is not needed there, because
the packs go along in the form in which the library keeps checked packs.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from udfs.registry import UDFS
from udfs.signature import Arg, Udf
from workbooks.engines import libreoffice_engine
from xlcalc import __version__
from xlcalc.errors import EngineError
from xlcalc.packs.registry import held_entry, policy_folders

EXTENSION = libreoffice_engine.EXTENSION
SERVICE = "org.xlcalc.Functions"

_PARTS = Path(__file__).parent / "oxt_parts"
_OWN = ("xlcalc", "udfs")
_OTHERS = ("platformdirs", "typing_extensions")
_SUFFIXES = frozenset({".py", ".toml", ".txt"})
_LEFT_OUT = frozenset({"udfs/xlwings_functions.py"})  # for Excel only
_LOCALES = ("en-US", "zh-CN")
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)  # the same bytes whenever it is built
_TIMEOUT_BUILD = 60.0

Files = dict[str, bytes]


def build_oxt(target: Path) -> Path:
    """Writes the add-in for the functions as registered now; the same sources give the same bytes.

    Raises EngineError ``E-OXT-TOOL`` where LibreOffice's type compiler is missing.
    """
    files: Files = {
        "description.xml": _description().encode(),
        "META-INF/manifest.xml": _manifest().encode(),
        "CalcAddIns.xcu": _configuration(UDFS).encode(),
        "types.rdb": _types(UDFS),
        "addin.py": (_PARTS / "addin.py").read_bytes(),
        **_packages(),
        **_held_packs(),
        **_licences(),
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return target


# --- what the office is told about the functions


def _parameter(position: int, arg: Arg) -> str:
    """The name of an argument in the office's registry, which keeps them in the order of their names."""
    return f"p{position:02d}{''.join(filter(str.isalnum, arg.name))}"


def _idl(udfs: Mapping[str, Udf]) -> str:
    """The functions as UNO types: ``any`` may be a value, a range or left out, and is whatever comes out."""
    lines = []
    for name, udf in udfs.items():
        args = ", ".join(f"[in] any {_parameter(position, arg)}" for position, arg in enumerate(udf.args))
        lines.append(f"  any {name}({args});")
    methods = "\n".join(lines)
    return (
        "module org { module xlcalc {\n"
        f"interface XFunctions {{\n{methods}\n}};\n"
        "service Functions { interface XFunctions; };\n"
        "}; };\n"
    )


def _types(udfs: Mapping[str, Udf]) -> bytes:
    """The compiled types; the office does not know a function without them."""
    tool, core_types = _type_compiler()
    with tempfile.TemporaryDirectory(prefix="xlcalc-oxt-") as folder:
        source, result = Path(folder) / "functions.idl", Path(folder) / "types.rdb"
        source.write_text(_idl(udfs), encoding="ascii")
        try:
            run = subprocess.run(
                [str(tool), str(core_types), str(source), str(result)],
                env=_clean_environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_BUILD,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _no_tool(f"unoidl-write 无法运行：{error}") from error
        if run.returncode or not result.is_file():
            raise _no_tool(f"unoidl-write 出错：{(run.stderr + run.stdout).decode(errors='replace').strip()[-300:]}")
        return result.read_bytes()


def _type_compiler() -> tuple[Path, Path]:
    program = _program_folder()
    if program is None:
        raise _no_tool("没有安装 LibreOffice")
    places = [str(program.parent / "sdk" / "bin"), os.environ.get("PATH", "")]
    tool = shutil.which("unoidl-write", path=os.pathsep.join(places))
    core_types = program / "types.rdb"
    if tool is None or not core_types.is_file():
        raise _no_tool("没有找到 LibreOffice 的类型编译工具 unoidl-write")
    return Path(tool), core_types


def _no_tool(what: str) -> EngineError:
    return EngineError(
        "E-OXT-TOOL",
        what,
        remedy="Debian 上可运行 tests/install-libreoffice.sh 安装（软件包 libreoffice-dev）；其他系统请安装与 "
        "LibreOffice 同版本的 SDK，或直接使用已生成的 .oxt 文件",
    )


def _configuration(udfs: Mapping[str, Udf]) -> str:
    functions = "".join(map(_function, udfs.values()))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<oor:component-data xmlns:oor="http://openoffice.org/2001/registry" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" oor:name="CalcAddIns" oor:package="org.openoffice.Office">\n'
        f'<node oor:name="AddInInfo"><node oor:name="{SERVICE}" oor:op="replace"><node oor:name="AddInFunctions">\n'
        f"{functions}</node></node></node>\n</oor:component-data>\n"
    )


def _function(udf: Udf) -> str:
    args = "".join(
        _node(
            _parameter(position, arg),
            _texts("DisplayName", arg.title) + _texts("Description", ("（可省略）" if arg.optional else "") + arg.help),
        )
        for position, arg in enumerate(udf.args)
    )
    return _node(
        udf.name,
        _texts("DisplayName", udf.name)
        + _texts("Description", f"{udf.title}：{udf.help}")
        + '<prop oor:name="Category"><value>Add-In</value></prop>'  # Calc has no others for add-ins
        + _texts("CompatibilityName", udf.name)
        + f'<node oor:name="Parameters">{args}</node>',
    )


def _node(name: str, inner: str) -> str:
    return f'<node oor:name={quoteattr(name)} oor:op="replace">{inner}</node>\n'


def _texts(name: str, text: str) -> str:
    values = "".join(f'<value xml:lang="{locale}">{escape(text)}</value>' for locale in _LOCALES)
    return f'<prop oor:name="{name}">{values}</prop>'


# --- the rest of the package


def _manifest() -> str:
    kinds = {
        "types.rdb": "uno-typelibrary;type=RDB",
        "CalcAddIns.xcu": "configuration-data",
        "addin.py": "uno-component;type=Python",
    }
    entries = "".join(
        f'<manifest:file-entry manifest:media-type="application/vnd.sun.star.{kind}" manifest:full-path="{name}"/>\n'
        for name, kind in kinds.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<manifest:manifest xmlns:manifest="http://openoffice.org/2001/manifest">\n{entries}</manifest:manifest>\n'
    )


def _description() -> str:
    oldest = ".".join(map(str, libreoffice_engine.OLDEST))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<description xmlns="http://openoffice.org/extensions/description/2006" '
        'xmlns:d="http://openoffice.org/extensions/description/2006" '
        'xmlns:l="http://libreoffice.org/extensions/description/2011">\n'
        f'<identifier value="{EXTENSION}"/>\n<version value="{__version__}"/>\n'
        f'<dependencies><l:LibreOffice-minimal-version value="{oldest}" d:name="LibreOffice {oldest}"/>'
        "</dependencies>\n"
        '<display-name><name lang="en">xlcalc functions</name><name lang="zh">xlcalc 核算函数</name></display-name>\n'
        "</description>\n"
    )


def _packages() -> Files:
    """The modules and data the functions need, as they are installed here."""
    files: Files = {}
    for package in (*_OWN, *_OTHERS):
        for name, path in _sources(package):
            if name not in _LEFT_OUT:
                files[f"pythonpath/{name}"] = path.read_bytes()
    return files


def _sources(package: str) -> Iterator[tuple[str, Path]]:
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None  # what is imported above cannot be missing
    origin = Path(spec.origin)
    if origin.name != "__init__.py":
        yield origin.name, origin
        return
    for path in sorted(origin.parent.rglob("*")):
        if path.suffix in _SUFFIXES and path.is_file():
            yield f"{package}/{path.relative_to(origin.parent).as_posix()}", path


def _held_packs() -> Files:
    """The built-in packs, read and checked now, because the office's Python cannot."""
    files: Files = {}
    for path in sorted(policy_folders()[0].glob("*/*.toml")):
        name, entry = held_entry(f"{path.parent.name}.{path.stem}")
        files[f"pythonpath/xlcalc/policies/{name}"] = json.dumps(entry, ensure_ascii=False).encode()
    return files


def _licences() -> Files:
    files: Files = {}
    for package in (_OWN[0], *_OTHERS):
        for file in distribution(package).files or ():
            if file.parts[0].endswith(".dist-info") and file.name.upper().startswith(("LICENSE", "LICENCE", "NOTICE")):
                files[f"licenses/{package}/{file.name}"] = Path(str(file.locate())).read_bytes()
    return files


# --- installing


def install_oxt(oxt: Path, profile: Path | None = None, timeout: float = 120) -> Path:
    """Installs the add-in, replacing another version of it, and returns the profile it is in now.

    profile: a UserInstallation folder, made where it is missing; None is the user's own. That office must not
    be running. Works for root too, which unopkg does not. Raises EngineError.
    """
    profile = (profile or libreoffice_engine.user_profile()).resolve()
    office = libreoffice_engine.find_soffice()
    held = libreoffice_engine.version()
    if office is None or held < libreoffice_engine.OLDEST:
        raise _not_installed(
            f"LibreOffice 版本 {'.'.join(map(str, held))} 过旧", "请先安装 LibreOffice 25.2 或更新版本"
        )
    if (profile / ".lock").exists():
        raise EngineError(
            "E-OXT-BUSY",
            "LibreOffice 正在运行，不能安装插件",
            where=str(profile),
            remedy="请关闭所有 LibreOffice 窗口后重试；确已关闭仍出现此提示的，请删除该文件夹中的 .lock 文件",
        )
    pipe = f"xlcalc{secrets.token_hex(8)}"
    command = [
        str(office), f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--nologo",
        "--nodefault", f"--accept=pipe,name={pipe};urp;",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, env=_clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        _add(pipe, oxt.resolve(), timeout)
        process.wait(timeout)
    except subprocess.TimeoutExpired as error:
        raise _not_installed("LibreOffice 未在规定时间内完成") from error
    finally:
        libreoffice_engine.end_process(process)
    return profile


def _add(pipe: str, oxt: Path, timeout: float) -> None:
    run = subprocess.run(
        [str(_office_python()), str(_PARTS / "add_extension.py"), pipe, oxt.as_uri(), str(timeout / 2)],
        env=_clean_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        timeout=timeout,
    )  # fmt: skip
    said = (run.stderr.strip().splitlines() or [""])[-1]
    if run.returncode == 3:
        raise EngineError(
            "E-OXT-PYTHON",
            f"LibreOffice 使用的 Python 版本 {said} 过旧，插件须 3.11 或更新版本",
            remedy="请升级 LibreOffice；升级前请使用普通 .xlsx 模板和 xlcalc recalc 命令",
        )
    if run.returncode:
        raise _not_installed(f"LibreOffice 没有接受插件：{said[:300]}")


def _office_python() -> Path:
    """The Python LibreOffice itself uses: bundled with it, or the system's where it comes from a distribution."""
    program = _program_folder()
    bundled = (
        [] if program is None else [program / "python.exe", program / "python", program.parent / "Resources/python"]
    )
    for place in [*bundled, Path("/usr/bin/python3")]:
        if place.is_file():
            return place
    raise EngineError(
        "E-OXT-PYTHON",
        "没有找到 LibreOffice 使用的 Python",
        remedy="Debian 上请安装软件包 python3-uno；其他系统请重新安装 LibreOffice，不要取消 Python 组件",
    )


def _not_installed(what: str, remedy: str = "请关闭所有 LibreOffice 窗口后重试") -> EngineError:
    return EngineError("E-OXT-INSTALL", what, remedy=remedy)


def _program_folder() -> Path | None:
    office = libreoffice_engine.find_soffice()
    return None if office is None else office.resolve().parent


def _clean_environment() -> dict[str, str]:
    """Without any trace of a virtual environment: under one, the office fails to load a Python extension."""
    if os.name == "nt":
        own = {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"}
        path = [part for part in os.environ.get("PATH", "").split(os.pathsep) if not part.startswith(sys.prefix)]
        return {**{k: v for k, v in os.environ.items() if k.upper() not in own}, "PATH": os.pathsep.join(path)}
    return {"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "LANG": "C.UTF-8"}
