"""What every document is made from: the enterprises of a run under each policy, with facts, outcome and findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from workbooks.batch.run import io_reason
from workbooks.batch.shared_caps import SharedCaps, of_record, shared_caps
from workbooks.batch.tasks import FileResult, hold_back_doubles
from workbooks.recalc import Recalculated, recalculate
from workbooks.record import Record
from xlcalc.errors import InputError, XlcalcError
from xlcalc.evaluation import evaluate
from xlcalc.facts import fact, parse_facts
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy
from xlcalc.results.outcome import Finding, Outcome
from xlcalc.values.levels import MaturityLevel
from xlcalc.values.money import Money
from xlcalc.values.text import squeeze


@dataclass(frozen=True)
class Case:
    """One enterprise under one policy. file, where: where it stands. findings: its own, beside the outcome's.

    choices: the complete readings under which the outcome was computed. shared_cap: the cap it shares with another
    programme, as the files of a run are held against it.
    """

    file: str
    where: str
    key: str
    facts: Mapping[str, Any]
    facts_at: Mapping[str, str]
    outcome: Outcome
    version: Version
    choices: Mapping[str, str]
    findings: tuple[Finding, ...] = ()
    shared_cap: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The enterprise as it calls itself; its row or code where it does not."""
        return str(self.facts.get("enterprise_name") or self.key)

    @property
    def uscc(self) -> str:
        """统一社会信用代码, "" where there is none."""
        return str(self.facts.get("uscc") or "")

    @property
    def file_name(self) -> str:
        """The file without its folder."""
        return Path(self.file).name

    @property
    def identity(self) -> tuple[str, str]:
        """What tells enterprises apart: code and name together, for either may be another's by a slip."""
        return self.uscc, squeeze(self.name)

    @property
    def level(self) -> MaturityLevel | None:
        """The level the outcome found or rests on."""
        found = self.outcome.results.get("maturity_level", self.facts.get("maturity_level"))
        return found if isinstance(found, MaturityLevel) else None

    @property
    def pays(self) -> tuple[str, ...]:
        """The keys of the results that the policy pays; none for one that only assesses."""
        return tuple(item.pays for item in self.version.mechanisms(self.choices) if item.pays)

    @property
    def payable(self) -> Money | None:
        """What may be paid; None while it is not determined."""
        return self.outcome.payable

    @property
    def blocked(self) -> bool:
        """Whether something of the record or the outcome stops the enterprise."""
        return any(finding.severity == "block" for finding in (*self.findings, *self.outcome.findings))

    def told(self, name: str) -> str:
        """A fact as Chinese text, "" while it is missing."""
        value = self.facts.get(name)
        return "" if value is None else fact(name).show(value)


@dataclass(frozen=True)
class Run:
    """All cases in the order of the files. problems: (file, what is wrong with it as a whole)."""

    cases: tuple[Case, ...]
    problems: tuple[tuple[str, Finding], ...] = ()

    def policies(self) -> list[str]:
        """The policies there are cases of."""
        return list(dict.fromkeys(case.outcome.policy for case in self.cases))

    def of(self, policy: str) -> list[Case]:
        """The cases of one policy."""
        return [case for case in self.cases if case.outcome.policy == policy]

    def needed(self, policy: str) -> list[Case]:
        """The cases of one policy; raises InputError ``E-DOCUMENT-EMPTY`` where there are none."""
        found = self.of(policy)
        if not found:
            label = load_policy(policy).label
            raise InputError(
                "E-DOCUMENT-EMPTY", f"没有申报“{label}”的企业", where=policy, remedy="请核对所给的工作簿和政策"
            )
        return found

    def enterprises(self) -> list[list[Case]]:
        """The cases of each enterprise, over all files and policies."""
        groups: dict[tuple[str, str], list[Case]] = {}
        for case in self.cases:
            groups.setdefault(case.identity, []).append(case)
        return list(groups.values())


def run_of_workbooks(paths: Iterable[Path], *, on: date | None = None, choices: Mapping[str, str] | None = None) -> Run:
    """The run over filled workbooks: each is recalculated, and a file that cannot be used costs only itself.

    on, choices: as for ``recalculate``. An enterprise in two files is paid in neither, as in a batch.
    """
    cases: list[Case] = []
    problems: list[tuple[str, Finding]] = []
    for path in paths:
        done = _recalculated(path, on, choices)
        if isinstance(done, Finding):
            problems.append((path.name, done))
            continue
        cases += _cases(path, done)
        problems += [(path.name, finding) for finding in done.findings]
    return Run(tuple(_held_over_all(cases)), tuple(problems))


def _recalculated(path: Path, on: date | None, choices: Mapping[str, str] | None) -> Recalculated | Finding:
    """The workbook recalculated, or why it could not be."""
    try:
        return recalculate(path, on=on, choices=choices)
    except XlcalcError as error:
        message = f"{error.message}。{error.remedy}" if error.remedy else error.message
        return Finding(error.code, "block", message, where=error.where or path.name)
    except OSError as error:
        return Finding("E-IO", "block", f"无法读取文件（{io_reason(error)}）。请检查路径和权限", where=path.name)
    except Exception as error:  # noqa: BLE001 - one file's fault must not end the run
        message = f"程序内部错误（{type(error).__name__}）。请保留此文件并告知维护人员"
        return Finding("E-INTERNAL", "block", message, where=path.name)


def _cases(path: Path, done: Recalculated) -> Iterable[Case]:
    read = done.read
    caps = shared_caps(read)
    for record, outcome in done.outcomes:
        version = read.versions[outcome.policy]
        choices = version.full_choices(version.own_choices(read.choices))
        case = _case(str(path), record, outcome, version, choices)
        yield replace(case, shared_cap=of_record(caps[outcome.policy], record)) if outcome.policy in caps else case


def _case(path: str, record: Record, outcome: Outcome, version: Version, choices: Mapping[str, str]) -> Case:
    return Case(
        path, record.where, record.key, record.facts, record.facts_at, outcome, version, choices, tuple(record.findings)
    )


def run_of_facts(
    policy: str,
    rows: Sequence[Mapping[str, object]],
    *,
    on: date | None = None,
    choices: Mapping[str, str] | None = None,
    source: str = "",
) -> Run:
    """The run over facts as in JSON, one enterprise a row, for what no form carries.

    source: the file in messages. Raises InputError naming the row, PolicyError.
    """
    cases = []
    for number, row in enumerate(rows, 1):
        where = f"第{number}条"
        try:
            facts = parse_facts(row)
            outcome = evaluate(policy, facts, on=on, choices=choices)
        except InputError as error:
            raise error.at(f"{source}{where}") from None
        version = load_policy(policy).version(outcome.version)
        full = version.full_choices(version.own_choices(choices or {}))
        key = str(facts.get("uscc") or facts.get("enterprise_name") or where)
        cases.append(Case(f"{source}{where}", where, key, facts, {}, outcome, version, full))
    return Run(tuple(_held_over_all(cases)))


def _held_over_all(cases: list[Case]) -> list[Case]:
    """What the batch holds back over its files is held back here: a finding, and nothing payable.

    An enterprise in several files, and one to which several programmes give more together than a cap they share.
    """
    results = [FileResult(case.file, None, "done", [_entry(case)]) for case in cases]
    hold_back_doubles(results)
    over_the_cap = SharedCaps(results)
    for result in results:
        over_the_cap(result)
    return list(map(_InWords(cases), map(_held_back, cases, results)))


def _entry(case: Case) -> dict[str, Any]:
    return {
        "policy": case.outcome.policy, "uscc": case.uscc, "name": case.facts.get("enterprise_name"),
        "status": case.outcome.status, "payable": None if case.payable is None else {"fen": case.payable.fen},
        "where": case.where, "findings": [], "shared_cap": case.shared_cap,
    }  # fmt: skip


def _held_back(case: Case, result: FileResult) -> Case:
    if not result.findings:
        return case
    found = [
        Finding(row["code"], row["severity"], row["message"], row["clause"], row["where"]) for row in result.findings
    ]
    (entry,) = result.outcomes
    payable = None if entry["payable"] is None else case.payable
    outcome = replace(case.outcome, status=entry["status"], payable=payable)
    return replace(case, outcome=outcome, findings=(*case.findings, *found))


class _InWords:
    """What the batch tells over its files, in words for a letter to the enterprise: no other's file, no other's name.

    A code beside another name and a name beside another code contradict each other, and are no second copy.
    """

    _CODES = ("E-DOUBLE-FILE", "E-SAME-NAME", "E-DOUBLE", "E-SHARED-CAP")
    _REMEDY = "请按营业执照核对代码和名称"

    def __init__(self, cases: Iterable[Case]) -> None:
        self._names, self._codes = defaultdict[Any, set[str]](set), defaultdict[Any, set[str]](set)
        self._files = defaultdict[Any, list[str]](list)
        for case in cases:
            policy, (code, name) = case.outcome.policy, case.identity
            self._names[policy, code].add(name)
            self._codes[policy, name].add(code)
            self._files[policy, code, name].append(case.file)

    def __call__(self, case: Case) -> Case:
        if not any(finding.code in self._CODES for finding in case.findings):
            return case
        told: dict[Finding, None] = {}
        for finding in case.findings:
            words = self._words(case, finding) if finding.code in self._CODES else [finding.message]
            told |= {replace(finding, message=text): None for text in words}
        return replace(case, findings=tuple(told))

    def _words(self, case: Case, finding: Finding) -> list[str]:
        if finding.code == "E-SHARED-CAP" and case.shared_cap is not None:
            labels = "、".join(f"“{load_policy(policy).label}”" for policy in case.shared_cap["policies"])
            cap = f"{labels}的申报合计超过每家企业共用的上限 {Money(case.shared_cap['fen'])}"
            return [f"{cap}。请确定先办理的一份，并把它的金额填入另一份的已享受栏"]
        policy, (code, name) = case.outcome.policy, case.identity
        files, texts = self._files[policy, code, name], []
        if code and len(self._names[policy, code]) > 1:
            other = "另有申报填写同一代码，企业名称不同"
            texts.append(f"统一社会信用代码“{code}”与企业名称相互矛盾：{other}。{self._REMEDY}")
        if len(self._codes[policy, name]) > 1:
            other = "另有申报填写同一名称，代码不同或未填"
            texts.append(f"企业名称“{case.name}”与统一社会信用代码相互矛盾：{other}。{self._REMEDY}")
        if finding.code == "E-DOUBLE":
            return texts if texts and len(files) == 1 else [finding.message]
        if len(files) > 1:
            texts.append(f"“{code or case.name}”在多份文件中申报：{'、'.join(_told_apart(files))}。请核对后只保留一份")
        return texts or [finding.message]


def _told_apart(files: Sequence[str]) -> list[str]:
    """Files by their names, with their folders where two are called the same."""
    names = [Path(file).name for file in files]
    return names if len(set(names)) == len(names) else ["/".join(Path(file).parts[-2:]) for file in files]
