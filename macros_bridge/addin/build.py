"""The folder a county PC is installed from: wheels, templates, guide and three batch files; no network there.

What we write ourselves is the same byte for byte from the same sources; what others released is pinned and hashed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from macros_bridge.addin.lock import PYTHONS, Pin, applies, windows_pins
from xlcalc import __version__
from xlcalc.errors import EngineError, InputError

SOURCES = Path(__file__).parents[2]
REQUIREMENTS = "requirements.txt"
_KIT = Path(__file__).parent / "kit"
_EPOCH = "1735689600"  # 2025-01-01, as in every other file we write
_PACKAGES = ("xlcalc", "workbooks", "udfs", "macros_bridge")


def build(outdir: Path, *, wheels: Path | None = None, pythons: Sequence[str] = PYTHONS) -> Path:
    """Writes the folder to install from and returns it; outdir must not exist or be empty.

    wheels: a folder with the Windows wheels of the lock, used instead of the package index that pip is set up for.
    Needs the sources, LibreOffice with its SDK, and xlwings and pyOpenVBA for the templates with functions. Raises
    InputError ``E-ADDIN-OUT``, EngineError ``E-ADDIN-SOURCES``, ``E-ADDIN-INDEX``, ``E-ADDIN-WHEEL``, ``E-OXT-TOOL``,
    ``E-VBA-TOOL``; PackError ``E-ADDIN-LOCK``.
    """
    _check_sources()
    if outdir.exists() and (not outdir.is_dir() or any(outdir.iterdir())):
        raise InputError("E-ADDIN-OUT", "目标文件夹已有内容，不覆盖", where=str(outdir), remedy="请换一个空文件夹")
    pins = windows_pins(SOURCES, pythons)
    with tempfile.TemporaryDirectory(prefix="xlcalc-addin-") as held:
        folder = Path(held) / "kit"
        folder.mkdir()
        _batch_files(folder, pythons)
        _wheels(folder / "wheels", pins, wheels, pythons)
        _templates(folder / "templates")
        _oxt(folder / "libreoffice" / "xlcalc.oxt")
        _guide(folder / "guide")
        _licences(folder)
        _sums(folder)
        outdir.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder, outdir, dirs_exist_ok=True, copy_function=shutil.copyfile)
    return outdir


def _check_sources() -> None:
    missing = [
        name for name in ("pyproject.toml", "requirements/excel.txt", "docs/clerk") if not (SOURCES / name).exists()
    ]
    if missing:
        raise EngineError(
            "E-ADDIN-SOURCES",
            f"安装包须从源代码生成，这里没有 {'、'.join(missing)}",
            where=str(SOURCES),
            remedy="请在源代码所在文件夹运行 xlcalc addin build",
        )


# --- what runs on the clerk's PC


def _batch_files(folder: Path, pythons: Sequence[str]) -> None:
    """The batch files, which try the Pythons we have wheels for, the newest first; and what they say."""
    newest_first = sorted(pythons, key=lambda python: [*map(int, python.split("."))], reverse=True)
    first, last = (f"({python.replace('.', ',')})" for python in (newest_first[-1], newest_first[0]))
    filled = {"@VERSIONS@": " ".join(newest_first), "@FIRST@": first, "@LAST@": last}
    for source in sorted(_KIT.glob("*.bat")):
        text = source.read_text(encoding="ascii")
        for name, value in filled.items():
            text = text.replace(name, value)
        (folder / source.name).write_bytes(_crlf(text).encode("ascii"))
    (folder / "messages").mkdir()
    for source in sorted(_KIT.glob("messages/*.txt")):
        text = source.read_text(encoding="utf-8").replace("@OLDEST@", pythons[0])
        # `type` shows bytes as they are, and a Chinese Windows reads them as GBK.
        (folder / "messages" / source.name).write_bytes(_crlf(text).encode("gbk"))


def _crlf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


# --- wheels


def _wheels(folder: Path, pins: Sequence[Pin], source: Path | None, pythons: Sequence[str]) -> None:
    folder.mkdir()
    for python in pythons:
        own = [pin for pin in pins if applies(pin.marker, python)]
        _download(folder, own, source, python)
    wheel = own_wheel(folder)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lines = [*(pin.line() for pin in pins), Pin("xlcalc", __version__, "", (digest,)).line()]
    (folder / REQUIREMENTS).write_bytes("".join(lines).encode("ascii"))


def _download(folder: Path, pins: Sequence[Pin], source: Path | None, python: str) -> None:
    """The wheels of one Python for Windows. Markers were settled before: pip would settle them for this computer."""
    with tempfile.TemporaryDirectory(prefix="xlcalc-lock-") as held:
        listed = Path(held) / "windows.txt"
        bare = [Pin(pin.name, pin.version, "", pin.hashes) for pin in pins]
        listed.write_text("".join(pin.line() for pin in bare), encoding="ascii")
        where = [] if source is None else ["--no-index", "--find-links", str(source)]
        run = _pip(
            "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "--platform", "win_amd64",
            "--python-version", python, "--implementation", "cp", "--dest", str(folder), "-r", str(listed), *where,
        )  # fmt: skip
    if run.returncode:
        said = (run.stderr or run.stdout).strip().splitlines()
        raise EngineError(
            "E-ADDIN-INDEX",
            f"取不到 Windows 用的依赖包（Python {python}）：{said[-1][:200] if said else 'pip 没有说明原因'}",
            where=str(source or "pip 所设的软件源"),
            remedy="请在能访问软件源的计算机上运行，或先用 pip download 备好依赖包，再用 --wheels 指定所在文件夹",
        )


def own_wheel(folder: Path) -> Path:
    """Our own wheel, built from a copy of the sources, so that nothing left from earlier builds gets in.

    Raises EngineError ``E-ADDIN-WHEEL``.
    """
    with tempfile.TemporaryDirectory(prefix="xlcalc-wheel-") as held:
        copy, made = Path(held) / "sources", Path(held) / "made"
        copy.mkdir()
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copyfile(SOURCES / name, copy / name)
        for package in _PACKAGES:
            shutil.copytree(SOURCES / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
        run = _pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(made), str(copy))
        found = sorted(made.glob("xlcalc-*.whl"))
        if run.returncode or len(found) != 1:
            said = (run.stderr or run.stdout).strip().splitlines()
            raise EngineError(
                "E-ADDIN-WHEEL",
                f"不能生成本软件的安装包：{said[-1][:200] if said else 'pip 没有说明原因'}",
                where=str(SOURCES),
                remedy="请先按 requirements/base.txt 装好依赖（其中有 setuptools）",
            )
        return Path(shutil.copyfile(found[0], folder / found[0].name))


def _pip(*args: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _EPOCH, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [sys.executable, "-m", "pip", *args]
    return subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)


# --- templates, add-in, guide, licences


def _templates(folder: Path) -> None:
    """Every template twice: with formulas only, and with the functions and buttons where there is such a one."""
    from macros_bridge.vba.embed import embed
    from workbooks.form import forms
    from workbooks.template import build_template

    folder.mkdir()
    titles = [form.title for form in forms().values()]
    for key, form in forms().items():
        name = form.title if titles.count(form.title) == 1 else f"{form.title}（{key}）"
        (folder / f"{name}.xlsx").write_bytes(build_template(key))
        (folder / f"{name}.xlsm").write_bytes(embed(build_template(key, flavour="udf")))


def _oxt(target: Path) -> None:
    from macros_bridge.oxt import build_oxt

    build_oxt(target)


def _guide(folder: Path) -> None:
    """The clerks' guide and the acceptance list as text that any editor of Windows shows."""
    folder.mkdir()
    pages = [*sorted((SOURCES / "docs" / "clerk").glob("*.md")), SOURCES / "docs" / "acceptance.md"]
    for page in pages:
        name = "验收清单" if page.stem == "acceptance" else page.stem
        text = page.read_text(encoding="utf-8").replace(".md", ".txt")
        (folder / f"{name}.txt").write_bytes(_crlf(text).encode("utf-8-sig"))


def _licences(folder: Path) -> None:
    """Our licence, those of the macros, and those that lie in the wheels."""
    target = folder / "licences"
    target.mkdir()
    shutil.copyfile(SOURCES / "LICENSE", target / "xlcalc.txt")
    macros = SOURCES / "macros_bridge" / "vba" / "parts" / "THIRD_PARTY.txt"
    if macros.is_file():
        shutil.copyfile(macros, target / "macros.txt")
    for wheel in sorted((folder / "wheels").glob("*.whl")):
        name = wheel.name.split("-")[0]
        for member, data in _licences_in(wheel):
            path = target / name / member
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def _licences_in(wheel: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(wheel) as archive:
        for member in sorted(archive.namelist()):
            folder, _, name = member.partition("/")
            last = name.rpartition("/")[2].upper()
            if folder.endswith(".dist-info") and last.startswith(("LICENSE", "LICENCE", "NOTICE", "COPYING")):
                yield name.removeprefix("licenses/"), archive.read(member)


def _sums(folder: Path) -> None:
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix())
        if path.is_file()
    ]
    (folder / "SHA256SUMS").write_bytes("".join(lines).encode())
