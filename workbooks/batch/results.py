"""What became of the files of a run: one result a file, most of it kept as text, and all of them one after another."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from xlcalc.values.text import squeeze
from xlcalc.values.uscc import problem_of_uscc

_LEFT_OUT = frozenset({"format", "library", "application_date", "attested", "record_findings", "ledger", "steps"})
_NOT_GIVEN = "未填"
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False)
as_json: Callable[[Any], str] = _ENCODER.encode


@dataclass
class FileResult:
    """What became of one file: state ``done``, ``refused`` or ``failed``; outcomes and findings as in the JSON.

    sha256: of the bytes that were read; template, packs: what they were computed under; output_sha256: of what was
    written. stops: no other file could be worked on either. asked: whom a ledger was asked about, by policy. Sent from
    one process to another, and as recorded, the outcomes are text until someone asks for them.
    """

    path: str
    output: str | None
    state: str
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    sha256: str | None = None
    template: str | None = None
    packs: dict[str, str] = field(default_factory=dict)
    output_sha256: str | None = None
    stops: bool = False
    asked: dict[str, list[str]] = field(default_factory=dict)
    _texts: tuple[bytes | Callable[[], bytes], str] = field(init=False, repr=False, compare=False)
    _brief: list[dict[str, Any]] = field(init=False, repr=False, compare=False)

    @classmethod
    def kept(cls, lines: Callable[[], bytes], brief: str, **more: Any) -> FileResult:
        """A result whose outcomes are text, see ``texts``; the lines are asked for where they are needed."""
        result = cls(**more)
        del result.outcomes
        result._texts = lines, brief
        return result

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in self.__dict__.items() if name not in ("outcomes", "_brief")}
        return state | {"_texts": self.texts}

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name != "outcomes" or "_texts" not in self.__dict__:
                raise AttributeError(name)
            self.outcomes = [json.loads(line) for line in self.lines]
            self.__dict__.pop("_brief", None)
            del self._texts
            return self.outcomes

    @property
    def texts(self) -> tuple[bytes, str]:
        """The outcomes as JSON: each on a line of its own, and all of them in brief."""
        if "_texts" not in self.__dict__:
            return "\n".join(map(as_json, self.outcomes)).encode(), as_json(self.brief)
        lines, brief = self._texts
        if not isinstance(lines, bytes):
            lines = lines()
            self._texts = lines, brief
        return lines, brief

    def at_hand(self) -> FileResult:
        """The same, also when the record it is kept in is closed."""
        self.texts  # noqa: B018 - reads them
        return self

    @property
    def lines(self) -> list[bytes]:
        """The outcomes as JSON, one after another."""
        return self.texts[0].splitlines()

    @property
    def brief(self) -> list[dict[str, Any]]:
        """The outcomes without what only a program that computes on needs.

        Of the steps their sentences; of the findings of their record how many there are of each code.
        """
        if "_texts" not in self.__dict__:
            return [_in_brief(outcome) for outcome in self.outcomes]
        if "_brief" not in self.__dict__:
            self._brief = json.loads(self._texts[1])
        return self._brief

    def tell(self, finding: dict[str, Any]) -> None:
        """Adds what came to light later, once."""
        if finding not in self.findings:
            self.findings.append(finding)

    def hold_back(self, number: int) -> None:
        """Nothing is payable under one of the outcomes, which would otherwise be determined."""
        if "_texts" not in self.__dict__:
            _held_back(self.outcomes[number])
        elif _held_back(self.brief[number]):
            lines = self.lines
            outcome = json.loads(lines[number])
            _held_back(outcome)
            lines[number] = as_json(outcome).encode()
            self._texts = b"\n".join(lines), as_json(self.brief)

    @property
    def blocking(self) -> bool:
        """Whether someone has to act before this file counts."""
        own = any(finding["severity"] == "block" for finding in self.findings)
        return own or any(f["severity"] == "block" for outcome in self.brief for f in outcome["findings"])

    def as_dict(self) -> dict[str, Any]:
        """The file's entry in ``xlcalc.run/1``."""
        names = ("path", "output", "state", "outcomes", "findings")
        return {name: getattr(self, name) for name in names}


def _in_brief(outcome: Mapping[str, Any]) -> dict[str, Any]:
    steps = [{"sentences": step["sentences"]} for step in outcome.get("steps", ()) if step["sentences"]]
    codes = Counter(finding["code"] for finding in outcome.get("record_findings", ()))
    kept = {name: value for name, value in outcome.items() if name not in _LEFT_OUT}
    return {**kept, "steps": steps, **({"record_codes": codes} if codes else {})}


def _held_back(outcome: dict[str, Any]) -> bool:
    if outcome["status"] != "determined":
        return False
    outcome["status"], outcome["payable"] = "not_determined", None
    return True


Amendment = Callable[[FileResult], None]
"""What came to light after a result was made; done twice, it is as done once."""


class Results:
    """The results of a run in their order, read anew whenever someone goes through them, so that none is held."""

    def __init__(self, read: Callable[[], Iterable[FileResult]], amendments: tuple[Amendment, ...] = ()) -> None:
        self._read, self._amendments = read, amendments

    def __iter__(self) -> Iterator[FileResult]:
        for result in self._read():
            for amend in self._amendments:
                amend(result)
            yield result

    def amended(self, by: Amendment) -> Results:
        """The same results with what came to light later."""
        return Results(self._read, (*self._amendments, by))

    def and_then(self, others: Sequence[FileResult]) -> Results:
        """The same results, and others behind them."""
        return Results(lambda: chain(self, others))


class _Called(NamedTuple):
    """What an enterprise goes by under a policy: its code or its name."""

    policy: str
    uscc: str
    name: str


@dataclass
class _Met:
    """Where something was met, and what it stood beside there: names beside a code, codes beside a name."""

    paths: dict[str, None] = field(default_factory=dict)
    beside: dict[str, None] = field(default_factory=dict)


class Doubles:
    """The enterprises that stand in two files of a run: paid in neither, with a finding in each.

    An enterprise goes by its code, and by its name where a code beside it is missing or cannot be right. One name with
    sound codes may be two firms: both are paid, with a warning.
    """

    def __init__(self, results: Iterable[FileResult]) -> None:
        from workbooks.form import forms

        # Opinions on an enterprise are paid nothing, and it may have many.
        self._opinions = {name for name, spec in forms().items() if spec.kind == "review"}
        first: dict[_Called, tuple[str, str]] = {}
        self._met: dict[_Called, _Met] = {}
        for result in results:
            for number, key in self._keys(result):
                outcome = result.brief[number]
                beside = (outcome["name"] if key.uscc else outcome["uscc"]) or _NOT_GIVEN
                path, before = first.setdefault(key, (result.path, beside))
                if path != result.path:
                    met = self._met.setdefault(key, _Met({path: None}, {before: None}))
                    met.paths[result.path] = met.beside[beside] = None

    def _keys(self, result: FileResult) -> Iterator[tuple[int, _Called]]:
        if result.template in self._opinions:
            return
        for number, outcome in enumerate(result.brief):
            if outcome["uscc"]:
                yield number, _Called(outcome["policy"], outcome["uscc"], "")
            if outcome["name"]:
                yield number, _Called(outcome["policy"], "", squeeze(outcome["name"]))

    def __call__(self, result: FileResult) -> None:
        """Holds back what of a result is paid nowhere."""
        if not self._met:
            return
        told: dict[int, dict[str, None]] = {}
        for number, key in self._keys(result):
            met = self._met.get(key)
            # The name of an enterprise says no more than its code where both stand in the same files.
            if met is None or met.paths.keys() <= told.get(number, {}).keys():
                continue
            told[number] = told.get(number, {}) | met.paths
            finding = _finding_of(key, met) | {"where": result.brief[number]["where"]}
            if finding["severity"] == "block":
                result.hold_back(number)
            result.tell(finding)


def _finding_of(key: _Called, met: _Met) -> dict[str, Any]:
    files = "、".join(told_apart(list(met.paths)))
    code, severity = "E-DOUBLE-FILE", "block"
    if len(met.beside) == 1:
        message = f"“{key.uscc or key.name}”在本次运行的多个文件中出现：{files}。未计入可拨付合计，请只保留一份"
    else:
        what = "同一代码对应不同的名称" if key.uscc else "同一名称对应不同的代码"
        message = f"{what}：“{key.uscc or key.name}”——{'、'.join(met.beside)}，在本次运行的多个文件中：{files}"
        if key.uscc or any(beside == _NOT_GIVEN or problem_of_uscc(beside) for beside in met.beside):
            message += "。均未计入可拨付合计，请按营业执照核对"
        else:
            code, severity = "E-SAME-NAME", "warn"
            message += "。请按营业执照核对是否同一企业"
    return {"code": code, "severity": severity, "clause": None, "message": message}


def told_apart(paths: Sequence[str]) -> Sequence[str]:
    """What files are called: their names, or their whole paths where two have one name."""
    names = [Path(path).name for path in paths]
    return names if len(set(names)) == len(set(paths)) else paths


def hold_back_doubles(results: Iterable[FileResult]) -> None:
    """One enterprise in two files of a run is paid in neither: a finding in each, and no payable amount.

    results: those of one run, all at hand.
    """
    hold_back = Doubles(results)
    for result in results:
        hold_back(result)
