"""Reads a policy pack strictly: what is unknown, missing, doubled or unquoted is an error with its place."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from xlcalc.errors import PackError, XlcalcError
from xlcalc.facts import catalogue
from xlcalc.mechanisms.base import GUARDED, KINDS, mechanism_module
from xlcalc.mechanisms.conditions import Test
from xlcalc.packs.model import PackModel
from xlcalc.packs.policy import Version
from xlcalc.packs.quotes import check_excerpts, check_quotes

Resolve = Callable[[str], Mapping[str, Any]]
"""``policy@version`` -> the resolved data of that version."""

_DESCRIBED = ("form", "role", "state", "transition", "remark", "lookup")
"""What a version says besides what it computes."""

_WORDS = {
    "missing": ("缺少字段", "请补上该字段"),
    "extra_forbidden": ("不认识的字段", "请检查拼写，或删去该字段"),
    "literal_error": ("不在允许的取值内", "请改为允许的取值"),
}


def read_pack(path: Path, resolve: Resolve) -> dict[str, Any]:
    """The pack as plain data with inheritance resolved; raises PackError with file, key, reason and remedy."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PackError(
            "E-PACK-TOML", f"不是合法的 TOML：{error}", where=path.name, remedy="请按提示的行列修改"
        ) from error
    try:
        return _checked(raw, path, resolve)
    except XlcalcError as error:
        raise PackError(
            error.code, error.message, where=f"{path.name}:{error.where or ''}", remedy=error.remedy
        ) from error


def _checked(raw: dict[str, Any], path: Path, resolve: Resolve) -> dict[str, Any]:
    pack = _validated(TypeAdapter(PackModel).validate_python, raw, "").model_dump(mode="json")
    if pack["id"] != f"{path.parent.name}.{path.stem}":
        raise PackError(
            "E-PACK-ID",
            f"id“{pack['id']}”与所在位置 {path.parent.name}/{path.name} 不符",
            where="id",
            remedy="id 应为“文件夹.文件名”",
        )
    check_excerpts(pack["document"], path.parent)
    versions = [_resolved(version, pack, resolve) for version in pack["version"]]
    for version in versions:
        _check_version(version, pack["document"], path.parent)
    _check_periods(versions)
    return {key: pack[key] for key in ("id", "label", "issuer", "checked_on")} | {
        "versions": versions,
        "excerpts": [row["excerpt"] for row in pack["document"]],
    }


def _validated(validate: Callable[[Any], Any], data: Any, where: str) -> Any:
    try:
        return validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in (where, *first["loc"]) if part != "")
        words, remedy = _WORDS.get(first["type"], (f"类型或取值不对：{first['msg']}", "请按字段类型修改"))
        raise PackError(
            "E-PACK-FIELD", f"{words}（{first['loc'][-1] if first['loc'] else ''}）", where=place, remedy=remedy
        ) from error


def _resolved(version: dict[str, Any], pack: Mapping[str, Any], resolve: Resolve) -> dict[str, Any]:
    own = {key: value for key, value in version.items() if key != "extends"} | {"document": pack["document"]}
    if version["extends"]:
        parent = resolve(version["extends"])
        inherited = {key: parent[key] for key in ("document", "clause", "interpretation", "mechanism", *_DESCRIBED)}
        own = merge(inherited, own)
    return own | {"policy": pack["id"]}


def merge(base: Any, over: Any) -> Any:
    """``over`` laid on ``base``: tables merge, lists whose rows have a key merge by key, the rest is replaced."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {
            key: merge(base[key], over[key]) if key in base and key in over else over.get(key, base.get(key))
            for key in base | over
        }
    if isinstance(base, list) and isinstance(over, list) and (name := _row_key(base + over)):
        rows = {row[name]: row for row in base}
        for row in over:
            rows[row[name]] = merge(rows[row[name]], row) if row[name] in rows else row
        return list(rows.values())
    return over


def _row_key(rows: list[Any]) -> str | None:
    if not rows or not all(isinstance(row, dict) for row in rows):
        return None
    return next((name for name in ("key", "id", "code") if all(name in row for row in rows)), None)


def _check_version(version: dict[str, Any], own: list[dict[str, Any]], folder: Path) -> None:
    where = f"version.{version['id']}"
    for name, rows in (("clause", "key"), ("interpretation", "id"), ("mechanism", "key")):
        _check_unique((row.get(rows) for row in version[name]), f"{where}.{name}")
    for row in version["mechanism"]:
        place = f"{where}.mechanism.{row.get('key', '?')}"
        if row.get("kind") not in KINDS:
            raise PackError(
                "E-PACK-KIND", f"没有“{row.get('kind')}”这种机制", where=place, remedy=f"可用：{'、'.join(KINDS)}"
            )
        # Within a list, so that the strictness given here reaches the TypedDicts of the mechanism.
        adapter: TypeAdapter[Any] = TypeAdapter(
            list[mechanism_module(row["kind"]).Data],  # type: ignore[arg-type,misc]
            config=ConfigDict(extra="forbid", strict=True),
        )
        _validated(adapter.validate_python, [{key: value for key, value in row.items() if key != "when"}], place)
        _check_guard(row, place)
        _check_rows(row, place)
        _check_clause_names(row, {clause["key"] for clause in version["clause"]}, place)
    _check_described(version, where)
    _check_interpretations(version, where)
    check_quotes(version, own, folder)


def _check_guard(row: Mapping[str, Any], place: str) -> None:
    """Only what neither pays nor computes columns may apply to some and not to others."""
    if "when" not in row:
        return
    adapter: TypeAdapter[Any] = TypeAdapter(list[Test], config=ConfigDict(extra="forbid", strict=True))
    _validated(adapter.validate_python, [row["when"]], f"{place}.when")
    if row["kind"] not in GUARDED:
        raise PackError(
            "E-PACK-WHEN", f"{row['kind']} 总是适用，不能带 when", where=f"{place}.when",
            remedy=f"可带 when 的有：{'、'.join(GUARDED)}",
        )  # fmt: skip


def _check_described(version: dict[str, Any], where: str) -> None:
    clauses = {clause["key"] for clause in version["clause"]}
    for name in _DESCRIBED:
        _check_unique((row["key"] for row in version[name]), f"{where}.{name}")
        _check_clause_names(version[name], clauses, f"{where}.{name}")
    columns = [column for form in version["form"] for column in form["column"]]
    for column in columns:
        if column["fact"] and column["fact"] not in catalogue():
            raise PackError(
                "E-PACK-FACT", f"事实“{column['fact']}”不在 facts.toml 中", where=f"{where}.form.{column['key']}",
                remedy="请先在 facts.toml 登记该事实",
            )  # fmt: skip
    for row in version["lookup"]:
        _check_unique((entry["key"] for entry in row["entry"]), f"{where}.lookup.{row['key']}")
    states, roles = ({row["key"] for row in version[name]} for name in ("state", "role"))
    for row in version["transition"]:
        named = {row["source"], row["target"]} - states | ({row["by"]} - roles - {None})
        if named:
            raise PackError(
                "E-PACK-STATE", f"状态或角色未登记：{'、'.join(sorted(named))}",
                where=f"{where}.transition.{row['key']}", remedy="请在 [[version.state]] 或 [[version.role]] 中登记",
            )  # fmt: skip


def _check_unique(keys: Iterable[Any], where: str) -> None:
    seen = set()
    for key in keys:
        if key in seen:
            raise PackError("E-PACK-DOUBLE", f"“{key}”出现了两次", where=where, remedy="请删去或改名其中一个")
        seen.add(key)


def _check_rows(data: Any, where: str) -> None:
    """Rows of one list have different keys; the later of two would silently win or count twice."""
    if isinstance(data, list) and (name := _row_key(data)):
        _check_unique((row[name] for row in data), where)
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in children:
        _check_rows(value, f"{where}.{key}")


def _check_clause_names(data: Any, known: set[str], where: str) -> None:
    if isinstance(data, dict):
        for key, value in data.items():
            if (key == "clause" or key.endswith("_clause")) and value not in known:
                raise PackError(
                    "E-PACK-CLAUSE",
                    f"引用了不存在的条款“{value}”",
                    where=f"{where}.{key}",
                    remedy="请在 [[version.clause]] 中登记",
                )
            _check_clause_names(value, known, f"{where}.{key}")
    elif isinstance(data, list):
        for place, row in enumerate(data):
            _check_clause_names(row, known, f"{where}[{place}]")


def _check_interpretations(version: dict[str, Any], where: str) -> None:
    for row in version["interpretation"]:
        place = f"{where}.interpretation.{row['id']}"
        codes = [option["code"] for option in row["option"]]
        _check_unique(codes, place)
        if row["clause"] is not None:
            _check_clause_names({"clause": row["clause"]}, {clause["key"] for clause in version["clause"]}, place)
        if row["kind"] == "choice" and (len(codes) < 2 or row["default"] not in codes):
            raise PackError(
                "E-PACK-CHOICE",
                "可选口径须有至少两个选项，且默认值在其中",
                where=place,
                remedy="请补齐 option 或 default",
            )
        if row["kind"] == "required" and not row["fact"]:
            raise PackError("E-PACK-CHOICE", "必填参数须写明对应的事实", where=place, remedy="请补上 fact")
        if row["fact"] and row["fact"] not in catalogue():
            raise PackError(
                "E-PACK-FACT",
                f"事实“{row['fact']}”不在 facts.toml 中",
                where=place,
                remedy="请先在 facts.toml 登记该事实",
            )
    plain = Version(version)
    # Of two mechanisms with one result the later would win, and be paid twice.
    _check_unique((item.pays for item in plain.mechanisms(plain.full_choices({})) if item.pays), f"{where}.mechanism")
    plain.guards(plain.full_choices({}))
    for key, item in plain.interpretations.items():
        for code in item.options if item.kind == "choice" else ():
            plain.mechanisms(plain.full_choices({key: code}))


def _check_periods(versions: list[dict[str, Any]]) -> None:
    _check_unique((version["id"] for version in versions), "version")
    ordered = sorted(versions, key=lambda version: str(version["first"]))
    if ordered != versions:
        raise PackError("E-PACK-ORDER", "各版本须按生效日期先后排列", where="version", remedy="请调整顺序")
    for earlier, later in zip(versions, versions[1:], strict=False):
        if earlier["last"] is None or earlier["last"] >= later["first"]:
            raise PackError(
                "E-PACK-OVERLAP",
                f"版本 {earlier['id']} 与 {later['id']} 的有效期重叠",
                where="version",
                remedy="请填写前一版本的 last",
            )
