"""The folder a county PC is installed from, the installation, and what the doctor says of a PC that is only data."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from macros_bridge.addin import build as kit
from macros_bridge.addin import doctor as examination
from macros_bridge.addin.build import build
from macros_bridge.addin.command import addin_app
from macros_bridge.addin.diagnosis import Line
from macros_bridge.addin.doctor import doctor, failed
from macros_bridge.addin.install import INTERPRETER, configure, install, main, pip_arguments, unconfigure
from macros_bridge.addin.lock import Pin, applies, read_lock, windows_pins
from macros_bridge.addin.machine import Machine, Snapshot
from workbooks.engines import libreoffice_engine
from xlcalc import __version__
from xlcalc.errors import EngineError, InputError, PackError, XlcalcError

ROOT = Path(__file__).parents[1]
PARTS = ROOT / "macros_bridge" / "addin" / "kit"


# --- the lock


def test_the_lock_gives_a_windows_pc_what_base_and_excel_need() -> None:
    pins = {pin.name: pin for pin in windows_pins(ROOT)}
    base = {pin.name for pin in read_lock(ROOT / "requirements" / "base.txt")}
    assert base <= set(pins) and {"xlwings", "pywin32", "colorama"} <= set(pins)
    assert set(pins).isdisjoint({"appscript", "psutil", "pytest", "numpy", "formulas", "hypothesis"})
    assert all(pin.hashes and all(len(digest) == 64 for digest in pin.hashes) for pin in pins.values())
    test = {pin.name: pin.version for pin in read_lock(ROOT / "requirements" / "test.txt")}
    assert {pin.name: pin.version for pin in pins.values()}.items() <= test.items()


@pytest.mark.parametrize(
    ("marker", "python", "holds"),
    [
        ("", "3.11", True),
        ("sys_platform == 'win32'", "3.11", True),
        ("sys_platform == 'darwin'", "3.11", False),
        ("sys_platform != 'darwin'", "3.11", True),
        ("python_full_version < '3.12'", "3.11", True),
        ("python_full_version < '3.12'", "3.12", False),
        ("python_version >= '3.9' and platform_system == 'Windows'", "3.14", True),
        ("python_full_version <= '3.11.0'", "3.11", True),
    ],
)
def test_markers_are_settled_for_windows(marker: str, python: str, holds: bool) -> None:
    assert applies(marker, python) is holds


@pytest.mark.parametrize("marker", ["platform_machine == 'ARM64'", "sys_platform == 'win32' or python_version < '4'"])
def test_a_marker_nobody_thought_of_stops_the_build(marker: str) -> None:
    with pytest.raises(PackError, match="E-ADDIN-LOCK"):
        applies(marker, "3.11")


def test_a_lock_that_is_none(tmp_path: Path) -> None:
    for text in (None, "xlwings>=1\n", "xlwings==1\n"):
        path = tmp_path / "lock.txt"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        with pytest.raises(PackError) as caught:
            read_lock(path)
        assert caught.value.code == "E-ADDIN-LOCK" and "make lock" in caught.value.remedy


# --- the folder


def wheel(folder: Path, name: str, version: str, tag: str = "py3-none-any") -> Pin:
    """A tiny wheel with one module and a licence."""
    info = f"{name}-{version}.dist-info"
    content = {
        f"{name}.py": f"VERSION = {tag!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/licenses/LICENSE.txt": f"the licence of {name}",
    }

    def record(member: str, text: str) -> str:
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        return f"{member},sha256={digest},{len(text)}\n"

    lines = "".join(record(*item) for item in content.items())
    path = folder / f"{name}-{version}-{tag}.whl"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in (content | {f"{info}/RECORD": f"{lines}{info}/RECORD,,\n"}).items():
            archive.writestr(zipfile.ZipInfo(member, (2025, 1, 1, 0, 0, 0)), text)
    return Pin(name, version, "", (hashlib.sha256(path.read_bytes()).hexdigest(),))


def tiny_lock(folder: Path) -> list[Pin]:
    """A pure package, and one with a wheel for each Python."""
    pure = wheel(folder, "tinypure", "1.0")
    each = [wheel(folder, "tinybinary", "2.0", f"cp3{n}-cp3{n}-win_amd64") for n in (11, 12)]
    return [pure, Pin("tinybinary", "2.0", "sys_platform == 'win32'", tuple(pin.hashes[0] for pin in each))]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """The folder built with two tiny packages, and where their wheels were; templates and add-in are tested apart."""
    folder = tmp_path_factory.mktemp("addin")
    pins = tiny_lock(folder / "source")

    def templates(target: Path) -> None:
        target.mkdir()
        (target / "表.xlsx").write_bytes(b"x")

    def oxt(target: Path) -> None:
        target.parent.mkdir()
        target.write_bytes(b"o")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kit, "windows_pins", lambda root, pythons: pins)
        patch.setattr(kit, "_templates", templates)
        patch.setattr(kit, "_oxt", oxt)
        for name in ("one", "two"):
            build(folder / name, wheels=folder / "source", pythons=("3.11", "3.12"))
    yield folder / "one", folder / "source"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_the_same_sources_give_the_same_folder(made: tuple[Path, Path]) -> None:
    assert contents(made[0]) == contents(made[0].with_name("two"))


def test_the_folder_holds_what_its_sums_say(made: tuple[Path, Path]) -> None:
    held = contents(made[0])
    sums = dict(reversed(line.split("  ", 1)) for line in held.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in held.items()}
    assert {"install.bat", "uninstall.bat", "doctor.bat", "libreoffice/xlcalc.oxt", "templates/表.xlsx"} <= set(held)
    assert {"licences/xlcalc.txt", "licences/macros.txt"} <= set(held)
    assert held["licences/tinypure/LICENSE.txt"] == b"the licence of tinypure"


def test_the_wheels_are_those_of_the_lock_and_our_own(made: tuple[Path, Path]) -> None:
    wheels = {path.name: path for path in (made[0] / "wheels").glob("*.whl")}
    own = f"xlcalc-{__version__}-py3-none-any.whl"
    assert set(wheels) == {path.name for path in made[1].iterdir()} | {own}
    pins = {pin.name: pin for pin in read_lock(made[0] / "wheels" / "requirements.txt")}
    assert {*pins} == {"tinypure", "tinybinary", "xlcalc"}
    assert pins["tinybinary"].marker == "sys_platform == 'win32'"
    for path in wheels.values():
        assert hashlib.sha256(path.read_bytes()).hexdigest() in pins[path.name.split("-")[0]].hashes


def test_our_own_wheel_holds_every_module_and_its_data(made: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(made[0] / "wheels" / f"xlcalc-{__version__}-py3-none-any.whl") as archive:
        held = set(archive.namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in ("xlcalc", "udfs", "workbooks", "macros_bridge")
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".toml", ".bas") and "/kit/" not in path.as_posix()
    }
    assert wanted - held == set() and not [name for name in held if name.startswith("tests/")]


def test_the_guide_is_text_that_any_editor_of_windows_shows(made: tuple[Path, Path]) -> None:
    guide = {name: data for name, data in contents(made[0]).items() if name.startswith("guide/")}
    assert {"guide/安装.txt", "guide/第一次使用.txt", "guide/验收清单.txt"} <= set(guide)
    assert len(guide) == 1 + len(list((ROOT / "docs" / "clerk").glob("*.md")))
    for name, data in guide.items():
        assert data.startswith(b"\xef\xbb\xbf") and b"\r\n" in data, name
        assert data.count(b"\n") == data.count(b"\r\n") and ".md" not in data.decode(), name


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "里面有东西").write_text("x")
    with pytest.raises(InputError) as caught:
        build(tmp_path)
    assert caught.value.code == "E-ADDIN-OUT" and [path.name for path in tmp_path.iterdir()] == ["里面有东西"]


def test_a_package_that_cannot_be_had_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit, "windows_pins", lambda root, pythons: [Pin("tinypure", "9.9", "", ("0" * 64,))])
    (tmp_path / "none").mkdir()
    with pytest.raises(EngineError) as caught:
        build(tmp_path / "out", wheels=tmp_path / "none")
    assert caught.value.code == "E-ADDIN-INDEX" and "--wheels" in caught.value.remedy
    assert not (tmp_path / "out").exists()


def test_a_wheel_with_another_hash_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = tiny_lock(tmp_path / "source")
    (pure,) = [path for path in (tmp_path / "source").iterdir() if "pure" in path.name]
    wheel(tmp_path / "source", "tinypure", "1.0", "py3-none-any")
    pure.write_bytes(pure.read_bytes() + b" ")
    monkeypatch.setattr(kit, "windows_pins", lambda root, given: pins)
    with pytest.raises(EngineError, match="E-ADDIN-INDEX"):
        build(tmp_path / "out", wheels=tmp_path / "source", pythons=("3.11",))


def test_without_sources_there_is_nothing_to_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit, "SOURCES", tmp_path)
    with pytest.raises(EngineError, match="E-ADDIN-SOURCES"):
        build(tmp_path / "out")


# --- the batch files


def batch(folder: Path, name: str) -> list[str]:
    data = (folder / name).read_bytes()
    assert data.isascii() and data.count(b"\n") == data.count(b"\r\n") == data.count(b"\r") and b"\t" not in data
    return data.decode("ascii").splitlines()


@pytest.mark.parametrize("name", ["install.bat", "uninstall.bat", "doctor.bat"])
def test_a_batch_file_jumps_only_to_labels_it_has_and_names_only_files_that_are_there(
    name: str, made: tuple[Path, Path]
) -> None:
    lines = batch(made[0], name)
    text = "\n".join(line for line in lines if not line.startswith("rem "))
    labels = [line[1:] for line in lines if line.startswith(":")]
    jumps = re.findall(r"\bgoto (\w+)", text) + re.findall(r"\bcall :(\w+)", text)
    assert set(jumps) == set(labels) and len(labels) == len(set(labels))
    named = re.findall(r"%HERE%([\w\\.-]+)", text)
    assert named and "@" not in text.replace("@echo off", "")
    for path in named:
        assert (made[0] / path.replace("\\", "/")).exists(), path
    modules = re.findall(r"-m (macros_bridge[\w.]+)", text)
    assert all((ROOT / f"{module.replace('.', '/')}.py").is_file() for module in modules)
    # What comes after each label ends by itself: no step runs into the next one.
    for place, line in enumerate(lines):
        if line.startswith(":") and line != ":files":
            before = next(text for text in reversed(lines[:place]) if text.strip())
            assert before.startswith(("goto ", "exit /b ")), (line, before)


def test_every_message_is_named_and_reads_as_gbk(made: tuple[Path, Path]) -> None:
    text = "\n".join("\n".join(batch(made[0], name)) for name in ("install.bat", "uninstall.bat", "doctor.bat"))
    messages = {path.name: path.read_bytes() for path in (made[0] / "messages").iterdir()}
    assert set(messages) == set(re.findall(r"messages\\([\w-]+\.txt)", text))
    for name, data in messages.items():
        words = data.decode("gbk")
        assert words.endswith("。\r\n") and "@" not in words, name
    assert "3.11" in messages["no-python.txt"].decode("gbk")


def test_the_pythons_tried_are_those_there_are_wheels_for(made: tuple[Path, Path]) -> None:
    lines = batch(made[0], "install.bat")
    (loop,) = [line for line in lines if line.startswith("for ")]
    assert "in (3.12 3.11) do" in loop
    (tried,) = [line for line in lines if line.startswith("%* -c ")]
    code = tried.split('"')[1]
    for python, bits, fits in (
        ((3, 11), 8, True),
        ((3, 12), 8, True),
        ((3, 10), 8, False),
        ((3, 13), 8, False),
        ((3, 12), 4, False),
    ):
        stand_in = (
            f"import struct, sys, types; sys.modules['struct'] = types.SimpleNamespace(calcsize=lambda _: {bits}); "
            f"sys.version_info = {(*python, 0)}; {code}"
        )
        assert subprocess.run([sys.executable, "-S", "-c", stand_in]).returncode == (0 if fits else 1)


def pip_line(folder: Path) -> list[str]:
    """The line of install.bat that installs, with the names of Windows replaced by those of this computer."""
    (line,) = [line for line in batch(folder, "install.bat") if " install " in line and "pip" in line]
    words = re.findall(r'"([^"]*)"|(\S+)', line)
    here = f"{folder}/"
    return [(quoted or bare).replace("%HERE%", here).replace("\\", "/") for quoted, bare in words]


def test_the_batch_file_installs_as_the_python_does(made: tuple[Path, Path]) -> None:
    assert pip_line(made[0]) == ["%VENV%/Scripts/python.exe", *pip_arguments(made[0] / "wheels")]


def installed_on_windows(folder: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """That line run here, into a folder and for a Windows that is not there."""
    # Our own wheel asks for packages the tiny lock has not.
    for_windows = ["--target", str(target), "--platform", "win_amd64", "--python-version", "3.11", "--no-deps",
                   "--only-binary=:all:"]  # fmt: skip
    command = [sys.executable, *pip_line(folder)[1:], *for_windows]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_wheels_install_without_network_and_only_unchanged(made: tuple[Path, Path], tmp_path: Path) -> None:
    run = installed_on_windows(made[0], tmp_path / "site")
    # pip settles markers for this computer, so a package for Windows alone stays out here.
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "site" / "tinypure.py").is_file()
    assert (tmp_path / "site" / "macros_bridge" / "addin" / "install.py").is_file()
    assert (tmp_path / "site" / "xlcalc" / "facts.toml").is_file()
    changed = shutil.copytree(made[0], tmp_path / "changed")
    pure = changed / "wheels" / "tinypure-1.0-py3-none-any.whl"
    pure.write_bytes(pure.read_bytes() + b" ")
    run = installed_on_windows(changed, tmp_path / "other")
    assert run.returncode != 0 and "hash" in run.stderr.lower()


# --- the templates


@pytest.mark.libreoffice
def test_every_template_comes_with_and_without_functions(tmp_path: Path) -> None:
    from workbooks.files.package import Package
    from workbooks.form import forms

    kit._templates(tmp_path / "templates")
    kit._oxt(tmp_path / "libreoffice" / "xlcalc.oxt")
    held = {path.name: path for path in (tmp_path / "templates").iterdir()}
    assert len(held) == 2 * len(forms())
    for name, path in held.items():
        assert Package.open(path).has_macros == name.endswith(".xlsm")
    assert zipfile.is_zipfile(tmp_path / "libreoffice" / "xlcalc.oxt")


# --- installing


def pc(folder: Path, **changes: Any) -> Machine:
    """A Windows PC on which install.bat has made the environment."""
    environ = {"LOCALAPPDATA": str(folder / "Local"), "USERPROFILE": str(folder / "用户")}
    prefix = folder / "Local" / "xlcalc" / "venv"
    executable = prefix / "Scripts" / "python.exe"
    executable.parent.mkdir(parents=True, exist_ok=True)
    executable.write_bytes(b"")
    held = {
        "windows": True, "python": (3, 11, 9), "bits": 64, "executable": executable, "prefix": prefix,
        "environ": environ, "registry": Snapshot(OFFICE),
    }  # fmt: skip
    return Machine(**{**held, **changes})


OFFICE: dict[str, dict[str, object]] = {
    "HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\App Paths\\excel.exe": {"": "C:\\Office\\EXCEL.EXE"},
    "HKLM\\Software\\Microsoft\\Office\\ClickToRun\\Configuration": {"VersionToReport": "16.0.1", "Platform": "x64"},
}
OURS = f'"INTERPRETER_WIN","{INTERPRETER}"\r\n'.encode()


def conf(machine: Machine) -> Path:
    assert machine.xlwings_conf is not None
    return machine.xlwings_conf


def test_the_setting_is_as_the_macros_read_it_and_knows_no_user_name(made: tuple[Path, Path], tmp_path: Path) -> None:
    """xlwings.bas reads quoted pairs in the code page of Windows, compares names without case, expands variables."""
    machine = pc(tmp_path)
    for _ in range(2):
        done = configure(machine, made[0])
        assert conf(machine).read_bytes() == OURS and OURS.isascii()
    assert machine.expanded(INTERPRETER).replace("\\", "/") == str(machine.executable)
    home = machine.home
    assert home is not None and (home / "guide" / "安装.txt").is_file()
    assert (home / "requirements.txt").read_bytes() == (made[0] / "wheels" / "requirements.txt").read_bytes()
    assert any("已安装" in line for line in done.lines)


def test_other_settings_stay_and_another_interpreter_comes_back(tmp_path: Path) -> None:
    machine = pc(tmp_path)
    before = '"interpreter_win","D:\\别的\\python.exe"\r\n"SHOW CONSOLE","True"\r\n'.encode("gbk")
    conf(machine).parent.mkdir(parents=True)
    conf(machine).write_bytes(before)
    for _ in range(2):
        configure(machine, None)
        assert conf(machine).read_bytes() == OURS + b'"SHOW CONSOLE","True"\r\n'
    unconfigure(machine)
    assert conf(machine).read_bytes() == before and list(conf(machine).parent.iterdir()) == [conf(machine)]


def test_removing_leaves_what_others_set(tmp_path: Path) -> None:
    machine = pc(tmp_path)
    configure(machine, None)
    unconfigure(machine)
    assert not conf(machine).exists()
    conf(machine).write_bytes(b'"SHOW CONSOLE","True"\r\n')
    configure(machine, None)
    unconfigure(machine)
    assert conf(machine).read_bytes() == b'"SHOW CONSOLE","True"\r\n'
    unconfigure(machine)
    assert conf(machine).read_bytes() == b'"SHOW CONSOLE","True"\r\n'


def test_an_interpreter_elsewhere_is_named_in_full(tmp_path: Path) -> None:
    machine = pc(tmp_path, executable=Path("C:/Python312/python.exe"))
    configure(machine, None)
    assert conf(machine).read_bytes() == b'"INTERPRETER_WIN","C:/Python312/python.exe"\r\n'
    with pytest.raises(EngineError, match="E-ADDIN-INSTALL"):
        configure(pc(tmp_path, executable=Path("C:/𠀀/python.exe")), None)


def test_without_a_profile_or_with_half_a_folder_nothing_is_installed(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="E-ADDIN-INSTALL"):
        configure(pc(tmp_path, environ={}), None)
    with pytest.raises(EngineError) as caught:
        install(tmp_path, pc(tmp_path))
    assert caught.value.code == "E-ADDIN-INSTALL" and "解压" in caught.value.remedy


def test_the_steps_of_the_batch_files(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.delenv("USERPROFILE", raising=False)
    assert main(["nowhere"]) == 1
    assert "E-ADDIN-INSTALL" in capsys.readouterr().err
    assert main(["--remove"]) == 0 and capsys.readouterr().out.strip()


@pytest.mark.libreoffice
def test_on_linux_the_add_in_is_installed_and_found(tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    assert examination._extension_version(profile) is None
    done = install(None, profile=profile)
    assert examination._extension_version(profile) == __version__
    assert str(profile) in done.lines[0] and ".xlsm" in done.lines[1]


@pytest.mark.parametrize("held", [(7, 4, 7, 2), (25, 1)])
def test_an_old_libreoffice_gets_no_add_in(held: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libreoffice_engine, "version", lambda: held)
    with pytest.raises(EngineError) as caught:
        install(None, profile=Path("/nowhere"))
    assert caught.value.code == "E-ADDIN-INSTALL" and "25.2" in caught.value.remedy


def test_a_folder_without_the_add_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libreoffice_engine, "version", lambda: (25, 2))
    with pytest.raises(EngineError) as caught:
        install(tmp_path, profile=tmp_path)
    assert caught.value.where == str(tmp_path / "libreoffice" / "xlcalc.oxt")


# --- the doctor


@pytest.fixture
def healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A PC on which everything is as install.bat leaves it."""
    machine = pc(tmp_path)
    configure(machine, None)
    held = examination.installed("xlwings")
    (machine.prefix / f"xlwings64-{held}.dll").write_bytes(b"")
    assert machine.home is not None
    (machine.home / "requirements.txt").write_text(Pin("xlwings", str(held), "", ("0" * 64,)).line())
    monkeypatch.setattr(examination, "find_spec", lambda name: object())
    monkeypatch.setattr(libreoffice_engine, "find_soffice", lambda: None)
    return machine


def found(lines: list[Line], what: str) -> Line:
    (line,) = [line for line in lines if line.what == what]
    return line


def test_a_healthy_pc(healthy: Machine) -> None:
    lines = doctor(None, healthy)
    assert {line.state for line in lines} == {"ok"} and not failed(lines)
    assert {"Python", "组件版本", "xlwings", "写入权限", "Python 的位置", "Excel", "宏", "LibreOffice"} <= {
        line.what for line in lines
    }
    assert "16.0.1，64 位" in found(lines, "Excel").found


def changed(machine: Machine, **changes: Any) -> Machine:
    return Machine(**{**vars(machine), **changes})


SECURITY = "Software\\Microsoft\\Office\\16.0\\Excel\\Security"
POLICY = "Software\\Policies\\Microsoft\\Office\\16.0\\Excel\\Security"
WPS = "Kingsoft\\Office\\6.0\\Common"
REGISTRIES: dict[str, tuple[dict[str, dict[str, object]], str, str]] = {
    "user allows all": ({f"HKCU\\{SECURITY}": {"VBAWarnings": 1}}, "宏", "mind"),
    "user is asked": ({f"HKCU\\{SECURITY}": {"VBAWarnings": 2}}, "宏", "ok"),
    "user allows signed": ({f"HKCU\\{SECURITY}": {"VBAWarnings": 3}}, "宏", "bad"),
    "user allows none": ({f"HKCU\\{SECURITY}": {"vbawarnings": 4}}, "宏", "bad"),
    "policy over user": ({f"HKCU\\{SECURITY}": {"VBAWarnings": 1}, f"HKCU\\{POLICY}": {"VBAWarnings": 4}}, "宏", "bad"),
    "policy of the PC": ({f"HKLM\\{POLICY}": {"VBAWarnings": 3}}, "宏", "bad"),
    "policy allows": ({f"HKCU\\{SECURITY}": {"VBAWarnings": 4}, f"HKCU\\{POLICY}": {"VBAWarnings": 2}}, "宏", "ok"),
    "no VBA": ({"HKLM\\Software\\Policies\\Microsoft\\Office\\16.0\\Common": {"VBAOff": 1}}, "宏", "bad"),
    "WPS beside": ({f"HKLM\\Software\\WOW6432Node\\{WPS}": {"InstallRoot": "C:\\WPS"}}, "WPS", "ok"),
    "WPS in front": (
        {
            f"HKCU\\Software\\{WPS}": {"InstallRoot": "C:\\WPS"},
            "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\FileExts\\.xlsm\\UserChoice": {
                "ProgId": "ET.Xlsm.6"
            },
        },
        "WPS",
        "mind",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REGISTRIES)
def test_what_the_registry_says(name: str, healthy: Machine) -> None:
    keys, what, state = REGISTRIES[name]
    line = found(doctor(None, changed(healthy, registry=Snapshot({**OFFICE, **keys}))), what)
    assert line.state == state and bool(line.remedy) == (state != "ok")
    if "policy" in name and state == "bad":
        assert "信息部门" in line.remedy and "策略" in line.found


def test_without_excel(healthy: Machine) -> None:
    line = found(doctor(None, changed(healthy, registry=Snapshot())), "Excel")
    assert line.state == "mind" and ".xlsx" in line.remedy


Break = Callable[[Machine], Machine]


def without_dll(machine: Machine) -> Machine:
    next(machine.prefix.glob("xlwings64-*.dll")).unlink()
    return machine


def without_conf(machine: Machine) -> Machine:
    conf(machine).unlink()
    return machine


def with_conf(value: str) -> Break:
    def change(machine: Machine) -> Machine:
        conf(machine).write_bytes(f'"INTERPRETER_WIN","{value}"\r\n'.encode("gbk"))
        return machine

    return change


def with_lock(version: str) -> Break:
    def change(machine: Machine) -> Machine:
        assert machine.home is not None
        (machine.home / "requirements.txt").write_text(Pin("xlwings", version, "", ("0" * 64,)).line())
        return machine

    return change


BROKEN: dict[str, tuple[Break, str, str]] = {
    "old Python": (lambda machine: changed(machine, python=(3, 10, 4)), "Python", "bad"),
    "32 bits": (lambda machine: changed(machine, bits=32), "Python", "bad"),
    "newer Python": (lambda machine: changed(machine, python=(3, 99, 0)), "Python", "mind"),
    "DLL gone": (without_dll, "xlwings", "bad"),
    "no setting": (without_conf, "Python 的位置", "bad"),
    "setting to nowhere": (with_conf("C:\\没有\\python.exe"), "Python 的位置", "bad"),
    "setting to another": (with_conf(sys.executable), "Python 的位置", "mind"),
    "other version": (with_lock("0.1"), "组件版本", "bad"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named_with_a_remedy(name: str, healthy: Machine) -> None:
    change, what, state = BROKEN[name]
    lines = doctor(None, change(healthy))
    line = found(lines, what)
    assert line.state == state and line.remedy and failed(lines) == (state == "bad")
    assert str(line).startswith(f"[{ {'bad': '不可用', 'mind': '注意'}[state] }] {what}：") and "处理：" in str(line)


def test_pywin32_is_looked_for(healthy: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "find_spec", lambda name: None)
    assert found(doctor(None, healthy), "pywin32").state == "bad"


def macro_workbook(folder: Path, version: str | None = None) -> Path:
    """A workbook with the macros of xlwings, of another version if told."""
    from workbench import CLOUD, CLOUD_COMPANY, filled

    from macros_bridge.vba.embed import embed, production_modules
    from macros_bridge.vba.project import Module
    from workbooks.files.package import Package
    from workbooks.files.rawbook import RawBook

    data = filled(CLOUD, CLOUD_COMPANY)
    modules = production_modules(len(RawBook(Package.from_bytes(data)).sheets))
    held = examination.installed("xlwings")
    if version is not None:
        modules = [Module(m.name, m.source.replace(f"-{held}.dll", f"-{version}.dll"), m.kind) for m in modules]
    path = folder / "表.xlsm"
    path.write_bytes(embed(data, modules))
    return path


def test_a_workbook_of_the_same_and_of_another_version(healthy: Machine, tmp_path: Path) -> None:
    path = macro_workbook(tmp_path)
    lines = doctor(path, healthy)
    assert found(lines, "工作簿的宏").state == "ok" and found(lines, "文件来源").state == "ok"
    line = found(doctor(macro_workbook(tmp_path, "0.30.0"), healthy), "工作簿的宏")
    assert line.state == "bad" and "0.30.0" in line.found and "templates" in line.remedy
    (tmp_path / "xlwings.conf").write_text('"INTERPRETER_WIN","x"\n')
    assert [one.state for one in doctor(path, healthy) if one.what == "Python 的位置"] == ["ok", "mind"]


def test_a_workbook_without_macros(healthy: Machine, tmp_path: Path) -> None:
    path = tmp_path / "表.xlsm"
    path.write_bytes(b"PK")
    lines = doctor(path, healthy)
    assert failed(lines) and any("没有宏" in line.found for line in lines)


@pytest.mark.parametrize(
    ("zone", "location", "below", "state"),
    [(None, "", 0, "ok"), (1, "", 0, "ok"), (3, "", 0, "bad"), (3, "{here}", 0, "ok"), (3, "{above}\\", 1, "ok"),
     (3, "{above}", 0, "bad"), (4, "C:\\else", 1, "bad")],
)  # fmt: skip
def test_a_file_from_the_internet(
    zone: int | None, location: str, below: int, state: str, healthy: Machine, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = macro_workbook(tmp_path)
    monkeypatch.setattr(Machine, "zone", lambda self, file: zone)
    trusted = location.format(here=path.parent, above=path.parent.parent).replace("/", "\\")
    key = f"HKCU\\{SECURITY}\\Trusted Locations\\Location1"
    registry = Snapshot({**OFFICE, key: {"Path": trusted, "AllowSubfolders": below}} if trusted else OFFICE)
    line = found(doctor(path, changed(healthy, registry=registry)), "文件来源")
    assert line.state == state and (state == "ok" or "解除锁定" in line.remedy)


def test_trusted_locations_that_are_switched_off(healthy: Machine) -> None:
    keys: dict[str, dict[str, object]] = {
        f"HKCU\\{POLICY}\\Trusted Locations": {"AllLocationsDisabled": 1},
        f"HKCU\\{SECURITY}\\Trusted Locations\\Location1": {"Path": "%USERPROFILE%\\模板\\"},
    }
    line = found(doctor(None, changed(healthy, registry=Snapshot({**OFFICE, **keys}))), "受信任位置")
    assert "没有设置" in line.found
    del keys[f"HKCU\\{POLICY}\\Trusted Locations"]
    line = found(doctor(None, changed(healthy, registry=Snapshot({**OFFICE, **keys}))), "受信任位置")
    assert line.found == f"{healthy.environ['USERPROFILE']}\\模板"


def test_the_zone_is_read_from_the_note_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "表.xlsm"
    note = tmp_path / "表.xlsm:Zone.Identifier"
    assert pc(tmp_path).zone(path) is None
    note.write_text("[ZoneTransfer]\nZoneId=3\nHostUrl=about:internet\n")
    assert pc(tmp_path).zone(path) == 3 and pc(tmp_path, windows=False).zone(path) is None


@pytest.mark.parametrize(
    ("held", "added", "state"),
    [((7, 4), None, "mind"), ((25, 2), None, "mind"), ((25, 2), "0.0.1", "mind"), ((26, 8), __version__, "ok")],
)
def test_libreoffice_and_its_add_in(
    held: tuple[int, ...], added: str | None, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libreoffice_engine, "version", lambda: held)
    monkeypatch.setattr(libreoffice_engine, "user_profile", lambda: tmp_path)
    if added:
        folder = tmp_path / "user" / "uno_packages" / "cache" / "uno_packages" / "x.tmp_" / "xlcalc.oxt"
        folder.mkdir(parents=True)
        text = f'<description>\n<identifier value="org.xlcalc.functions"/>\n<version value="{added}"/>\n</description>'
        (folder / "description.xml").write_text(text)
    line = found(doctor(None, pc(tmp_path, windows=False, environ={})), "LibreOffice")
    assert line.state == state and bool(line.remedy) == (state != "ok")


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libreoffice_engine, "find_soffice", lambda: None)
    result = CliRunner().invoke(addin_app, ["doctor", "--json"])
    told = json.loads(result.stdout)
    assert told["format"] == "xlcalc.doctor/1"
    assert {line["state"] for line in told["lines"]} <= {"ok", "mind", "bad"}
    assert result.exit_code == (1 if any(line["state"] == "bad" for line in told["lines"]) else 0)
    assert "处理：" in CliRunner().invoke(addin_app, ["doctor"]).stdout
    missing = CliRunner().invoke(addin_app, ["doctor", str(tmp_path / "没有.xlsm")])
    assert isinstance(missing.exception, XlcalcError) and missing.exception.code == "E-FILE"
    assert CliRunner().invoke(addin_app, []).exit_code == 2


def test_a_bad_pc_ends_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "doctor", lambda workbook: [Line("bad", "宏", "关着", "请打开")])
    result = CliRunner().invoke(addin_app, ["doctor"])
    assert (result.exit_code, result.stdout) == (1, "[不可用] 宏：关着。处理：请打开\n")


def test_the_doctor_of_the_batch_file_speaks_words() -> None:
    command = [sys.executable, "-m", "macros_bridge.addin.command", "doctor", "没有.xlsm"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2 and "E-FILE" in run.stderr and "Traceback" not in run.stderr


# --- what clerks read


PAGES = [*sorted((ROOT / "docs" / "clerk").glob("*.md")), ROOT / "docs" / "acceptance.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_guide_names_only_what_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    from macros_bridge.cli import app
    from udfs.registry import UDFS

    assert set(re.findall(r"XLC_[A-Z_]+\b", text)) <= {*UDFS, "XLC_"}
    commands = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    groups = {group.name for group in app.registered_groups}
    assert set(re.findall(r"`?xlcalc ([a-z]+(?:-[a-z]+)*)", text)) <= commands | groups
    assert set(re.findall(r"\w+\.bat", text)) <= {path.name for path in PARTS.glob("*.bat")}
    assert set(re.findall(r"“(安装|第一次使用|验收清单)”", text)) <= {path.stem for path in PAGES} | {"验收清单"}
    assert "http" not in text and "@" not in text


def test_the_guide_says_what_libreoffice_does_to_macros() -> None:
    text = next(page for page in PAGES if "NAME" in page.stem).read_text(encoding="utf-8")
    assert all(word in text for word in (".oxt", "显示 0", "#VALUE!", '&""', "TRUE"))
    assert "没有在真实的 Windows" in PAGES[0].with_name("安装.md").read_text(encoding="utf-8")
