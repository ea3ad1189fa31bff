"""Puts xlcalc on this PC: what install.bat does, in Python; on Linux the add-in of LibreOffice.

``python -m macros_bridge.addin.install FOLDER`` is the last step of install.bat, ``--remove`` that of uninstall.bat.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from macros_bridge.addin.machine import HOME, Machine
from workbooks.batch.run import write_atomically
from workbooks.engines import libreoffice_engine
from xlcalc.errors import EngineError, XlcalcError

KEY = "INTERPRETER_WIN"
INTERPRETER = f"{HOME}\\venv\\Scripts\\python.exe"
_KEPT = "xlwings.conf.before-xlcalc"


@dataclass(frozen=True)
class Installed:
    """What was done. lines: in Chinese, for the person at the screen."""

    lines: tuple[str, ...]


def install(source: Path | None = None, machine: Machine | None = None, profile: Path | None = None) -> Installed:
    """Installs for the user who runs it, replacing an earlier installation.

    Windows: source is the folder that ``build`` wrote; its wheels go into an environment of their own, whose Python
    the workbooks then use; without source, the Python running now. Elsewhere: source is the .oxt or that folder,
    None builds the .oxt; profile is LibreOffice's, None the user's own. Raises EngineError.
    """
    machine = machine or Machine.here()
    if not machine.windows:
        return _install_oxt(source, profile)
    if source is None:
        return configure(machine, None)
    home = machine.home
    if home is None or not (source / "wheels" / "requirements.txt").is_file():
        raise _failed("安装文件不完整", str(source), "请把压缩包全部解压，再指定解压后的文件夹")
    python = home / "venv" / "Scripts" / "python.exe"
    _run([sys.executable, "-m", "venv", "--clear", str(home / "venv")])
    _run([str(python), *pip_arguments(source / "wheels")])
    _run([str(python), "-m", "macros_bridge.addin.install", str(source)])
    return Installed((f"已安装到 {home}",))


def pip_arguments(wheels: Path) -> list[str]:
    """How the wheels are installed, here and in install.bat: these files only, and only with the hashes of the lock."""
    return [
        "-m", "pip", "--isolated", "install", "--no-index", "--find-links", str(wheels), "--require-hashes",
        "--disable-pip-version-check", "--no-warn-script-location", "-r", str(wheels / "requirements.txt"),
    ]  # fmt: skip


def _run(command: list[str]) -> None:
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if run.returncode:
        said = (run.stderr or run.stdout).strip().splitlines()
        raise _failed(
            f"安装没有完成：{said[-1][:200] if said else '没有说明原因'}", None, "请关闭 Excel，核对安装文件后重试"
        )


def _failed(message: str, where: str | None, remedy: str) -> EngineError:
    return EngineError("E-ADDIN-INSTALL", message, where=where, remedy=remedy)


def _install_oxt(source: Path | None, profile: Path | None) -> Installed:
    from macros_bridge.oxt import build_oxt, install_oxt

    held = libreoffice_engine.version()
    if held < libreoffice_engine.OLDEST:
        raise _failed(f"LibreOffice 版本 {'.'.join(map(str, held))} 过旧", None, "请先安装 LibreOffice 25.2 或更新版本")
    if source is None:
        import tempfile

        with tempfile.TemporaryDirectory(prefix="xlcalc-oxt-") as folder:
            used = install_oxt(build_oxt(Path(folder) / "xlcalc.oxt"), profile)
    else:
        oxt = source / "libreoffice" / "xlcalc.oxt" if source.is_dir() else source
        if not oxt.is_file():
            raise _failed("没有找到 LibreOffice 插件文件", str(oxt), "请指定 xlcalc.oxt 或安装文件夹")
        used = install_oxt(oxt, profile)
    return Installed((f"LibreOffice 插件已装入 {used}", "请用 .xlsx 表格；不要在 LibreOffice 里打开 .xlsm"))


# --- what the workbooks need to find this Python


def configure(machine: Machine, folder: Path | None) -> Installed:
    """Lets the macros of the workbooks find this Python, and keeps the lock and the guide beside it.

    folder: where install.bat lies. Settings other people made in xlwings.conf stay; an interpreter of theirs is kept
    aside and comes back with ``unconfigure``. Raises EngineError ``E-ADDIN-INSTALL``.
    """
    conf, home = machine.xlwings_conf, machine.home
    if conf is None or home is None:
        raise _failed("找不到当前用户的文件夹", None, "请以普通用户登录 Windows 后安装")
    own = machine.executable == home / "venv" / "Scripts" / "python.exe"
    line = _line(INTERPRETER if own else str(machine.executable), machine)
    before = conf.read_bytes() if conf.is_file() else b""
    others = [text for text in before.splitlines() if not _is_interpreter(text)]
    theirs = [text for text in before.splitlines() if _is_interpreter(text) and not _is_ours(text)]
    try:
        if theirs and not conf.with_name(_KEPT).exists():
            write_atomically(conf.with_name(_KEPT), before)
        write_atomically(conf, b"".join(text + b"\r\n" for text in (line, *others)))
        if folder is not None:
            home.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / "wheels" / "requirements.txt", home / "requirements.txt")
            shutil.rmtree(home / "guide", ignore_errors=True)
            shutil.copytree(folder / "guide", home / "guide")
    except OSError as error:
        raise _failed(f"无法写入（{error.strerror}）", str(conf), "请检查磁盘空间和文件夹权限") from None
    said = [f"xlcalc 已安装，Python {'.'.join(map(str, machine.python))}。"]
    if theirs:
        said.append(f"本机原来为 xlwings 设过另一个 Python，已保存在 {conf.with_name(_KEPT)}，卸载时恢复。")
    if folder is not None:
        said += ["现在打开 templates 文件夹里的 .xlsm 模板，点“启用内容”，即可使用函数和按钮。",
                 f"使用说明：{home / 'guide'}", "如有疑问，运行 doctor.bat 检查本机。"]  # fmt: skip
    return Installed(tuple(said))


def unconfigure(machine: Machine) -> Installed:
    """Takes our interpreter out of xlwings.conf again and puts back one that was there before."""
    conf = machine.xlwings_conf
    if conf is None or not conf.is_file():
        return Installed(("没有需要恢复的设置。",))
    kept = conf.with_name(_KEPT)
    if kept.is_file():
        kept.replace(conf)
        return Installed((f"已恢复原来的 {conf}。",))
    others = [text for text in conf.read_bytes().splitlines() if not _is_ours(text)]
    if any(text.strip() for text in others):
        write_atomically(conf, b"".join(text + b"\r\n" for text in others))
    else:
        conf.unlink()
    return Installed((f"已从 {conf} 去掉 xlcalc 的设置。",))


def _line(interpreter: str, machine: Machine) -> bytes:
    """The setting as VBA reads it: quoted, and in the code page of this Windows."""
    encoding = "mbcs" if machine.windows and sys.platform == "win32" else "ascii"
    try:
        return f'"{KEY}","{interpreter}"'.encode(encoding)
    except UnicodeEncodeError:
        raise _failed("Python 所在的路径含有宏读不出的字符", interpreter, "请用安装包里的 install.bat 安装") from None


def _is_interpreter(line: bytes) -> bool:
    return line.strip().strip(b'"').upper().startswith(KEY.encode())


def _is_ours(line: bytes) -> bool:
    return _is_interpreter(line) and INTERPRETER.encode() in line


def main(arguments: list[str]) -> int:
    """The steps of the batch files; a failure is words on the screen and exit code 1."""
    try:
        if arguments == ["--remove"]:
            done = unconfigure(Machine.here())
        else:
            done = configure(Machine.here(), Path(arguments[0]).resolve() if arguments else None)
    except XlcalcError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(done.lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
