"""Every error: one line of Chinese with code, place and remedy, and whole again after pickling."""

from __future__ import annotations

import pickle

import pytest

from xlcalc import errors
from xlcalc.errors import InputError, WorkbookRefused, XlcalcError

TREE = {
    "XlcalcError": "Exception", "InputError": "XlcalcError", "PolicyError": "XlcalcError", "PackError": "XlcalcError",
    "WorkbookError": "XlcalcError", "WorkbookRefused": "WorkbookError", "EngineError": "WorkbookError",
}  # fmt: skip
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, XlcalcError)]


def test_the_tree_is_the_one_that_is_drawn() -> None:
    found = {kind.__name__: kind.__mro__[1].__name__ for kind in KINDS}
    assert {name: found[name] for name in TREE} == TREE
    assert all(name in (errors.__doc__ or "") for name in found)


@pytest.mark.parametrize("kind", KINDS)
def test_pickled_and_back(kind: type[XlcalcError]) -> None:
    error = kind("E-UNIT", "没有单位", where="测算!C7", remedy="请补上单位")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert (back.code, back.message, back.where, back.remedy) == ("E-UNIT", "没有单位", "测算!C7", "请补上单位")
    assert str(back) == str(error)
    assert back.as_dict() == error.as_dict()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gap", ["\n", "\r", "\r\n", "\u2028", "\u2029", "\x0b", "\x85"])
def test_one_line(kind: type[XlcalcError], gap: str) -> None:
    error = kind("E-X", f"第一行{gap}第二行", where=f"表{gap}格", remedy=f"请改{gap}正")
    assert len(str(error).splitlines()) == 1


def test_what_a_reader_sees() -> None:
    assert str(InputError("E-UNIT", "没有单位。", where="测算!C7", remedy="请补上单位。")) == (
        "[E-UNIT] 测算!C7：没有单位。请补上单位。"
    )
    assert str(InputError("E-UNIT", "没有单位")) == "[E-UNIT] 没有单位。"


def test_placed_keeps_kind_and_puts_the_place_before() -> None:
    error = WorkbookRefused("E-ZIP", "不是工作簿", where="测算!C7", remedy="请另存").at("a.xlsx")
    assert type(error) is WorkbookRefused
    assert error.where == "a.xlsx:测算!C7"
    assert InputError("E-X", "x").at("a.xlsx").where == "a.xlsx"


def test_the_json_document() -> None:
    assert InputError("E-UNIT", "没有单位", where="C7", remedy="请补上").as_dict() == {
        "format": "xlcalc.error/1", "code": "E-UNIT", "message": "没有单位", "where": "C7", "remedy": "请补上",
    }  # fmt: skip
