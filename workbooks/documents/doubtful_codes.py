"""Who is neither paid nor published because the code given cannot be anyone's, and how a document says so."""

from __future__ import annotations

from collections.abc import Sequence

from workbooks.documents.cases import Case
from xlcalc.values.phones import mask_phones
from xlcalc.values.uscc import problem_of_uscc

_SEEN, _LEFT = 6, 4


def mask_code(code: str) -> str:
    """A code with its middle hidden: the registering office and the last four characters stay.

    >>> mask_code("91000000MA0000001R")
    '910000********001R'
    """
    hidden = len(code) - _SEEN - _LEFT
    return f"{code[:_SEEN]}{'*' * hidden}{code[-_LEFT:]}" if hidden > 0 else ""


def told_apart(cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """Those to be listed, and those whose 统一社会信用代码 fails GB 32100-2015, whom the ledger does not take either.

    A case without a code is listed: some official forms have no place for one.
    """
    listed: list[Case] = []
    doubtful: list[Case] = []
    for case in cases:
        (doubtful if _problem(case) else listed).append(case)
    return listed, doubtful


def doubts(cases: Sequence[Case], *, public: bool = False) -> list[str]:
    """What a document says of those left out: name, code, what is wrong with it and what to do; none without any.

    public: codes and telephone numbers are masked.
    """
    if not cases:
        return []
    rows = [
        f"{mask_phones(case.name)}（{mask_code(case.uscc)}，{_problem(case)}）"
        if public
        else f"{case.name}（{case.uscc}，{_problem(case)}）"
        for case in cases
    ]
    return [f"统一社会信用代码有误，未列入 {len(cases)} 家：{'、'.join(rows)}。请按营业执照核对，更正后重新核算"]


def _problem(case: Case) -> str:
    return (problem_of_uscc(case.uscc) if case.uscc else None) or ""
