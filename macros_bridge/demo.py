"""The demonstration: invented enterprises fill the official forms, and the folder is recalculated."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from macros_bridge.running import run_batch
from workbooks.batch.run import write_atomically
from workbooks.form import Form, forms
from workbooks.template import build_template
from xlcalc.facts import fact
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.mechanisms.eligibility import Eligibility
from xlcalc.packs.registry import load_policy
from xlcalc.values.uscc import ALPHABET, check_character

SEED = 20250531
_MARK = "本文件夹由 xlcalc demo 生成，企业均为虚构.txt"
_PLACES = ("云溪", "青禾", "远山", "白桦", "金穗", "星河", "长风", "晨光", "松泉", "海棠", "北辰", "秋实")
_TRADES = ("食品", "医药", "机械", "电子", "新材料", "服饰", "金属制品", "装备")


def run_demo(outdir: Path, count: int) -> int:
    """Builds templates, fills about ``count`` workbooks for invented enterprises and recalculates them."""
    outdir = _free_folder(outdir)
    for form_id, form in forms().items():
        write_atomically(outdir / "空白模板" / f"{form.title}（{form_id}）.xlsx", build_template(form_id))
    print(f"空白模板：{outdir / '空白模板'}（可直接用 Excel、WPS 或 LibreOffice 打开填写）")
    filled = outdir / "已填写"
    chance = random.Random(SEED)
    for written, (name, data) in enumerate(_filled(chance, count), 1):
        write_atomically(filled / name, data)
        if sys.stderr.isatty():
            print(f"\r已填写 {written}/{count}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    _spoil(filled)
    print(f"虚构企业填写的工作簿：{filled}（另有 3 份有意损坏的文件）")
    run_batch([filled], outdir / "核算结果")
    print(f"结果工作簿：{outdir / '核算结果'}（原文件未改动；每个结果的“依据”表写明条款和步骤）")
    return 0


def _free_folder(outdir: Path) -> Path:
    """The folder asked for, or the next free name beside it: what someone has filled in is never deleted."""
    outdir = outdir if outdir.name.strip(".") else outdir.resolve()
    folder, number = outdir, 2
    while folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        folder, number = outdir.with_name(f"{outdir.name}-{number}"), number + 1
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text("示例数据由程序随机生成，企业、人员、电话均为虚构。\n", encoding="utf-8")
    return folder


def _filled(chance: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Three quarters single-enterprise forms, the rest tables of several enterprises."""
    singles = [form for form in forms().values() if form.kind == "assessment"]
    tables = [form for form in forms().values() if form.kind == "recommendation"]
    for number in range(count):
        if number % 4 < 3:
            form = singles[number % len(singles)]
            facts = _assessed(chance, form)
            yield f"{form.title}/{number:03d} {facts['enterprise_name']}.xlsx", build_template(form.id, facts)
        else:
            form = tables[number // 4 % len(tables)]
            rows = [_enterprise(chance, form) for _ in range(chance.randint(3, 12))]
            head = {"recommending_authority": f"示例县（区）{number:03d} 工业和信息化局", "form_date": "2025-05-30"}
            yield (
                f"{form.title}/示例县{number:03d}+{form.title}+20250530.xlsx",
                build_template(form.id, [head | row for row in rows]),
            )


def _assessed(chance: random.Random, form: Form) -> dict[str, Any]:
    """An enterprise with answers and scenes, better ones in some enterprises than in others."""
    assessment: Assessment = load_policy(form.policies[0]).newest.mechanism("assessment")
    skill = chance.random()
    answers: dict[str, Any] = {}
    for question in assessment.questions:
        if question.multi:
            ticked = [option.code for option in question.options[1:] if chance.random() < skill]
            answers[question.key] = ticked or [question.options[0].code]
        else:
            last = len(question.options) - 1
            answers[question.key] = question.options[min(last, round(last * skill * chance.uniform(0.6, 1.4)))].code
    if chance.random() < 0.05:
        del answers["q9"]
    scenes = {scene.key: min(4, round(4 * skill * chance.uniform(0.7, 1.3))) for scene in assessment.scenes}
    facts = _enterprise(chance, form, policy=form.policies[1])
    cost = chance.choice(["500000", "700000", "875000", "3000000", f"{chance.randint(10**7, 9 * 10**8) / 100:.2f}"])
    facts |= {"answers": answers, "scenes": scenes, "recognised_cost": f"{cost}元", "form_date": "2025-05-20"}
    if chance.random() < 0.3:
        facts.pop("maturity_level")
    return facts


def _enterprise(chance: random.Random, form: Form, policy: str | None = None) -> dict[str, Any]:
    """Facts that mostly meet the conditions of the form's policy."""
    place, trade = chance.choice(_PLACES), chance.choice(_TRADES)
    facts: dict[str, Any] = {
        "enterprise_name": f"示例{place}{trade}{chance.randint(100, 999)}有限公司",
        "uscc": _uscc(chance),
        "maturity_level": chance.choices((0, 1, 2, 3, 4), (1, 2, 8, 5, 2))[0],
    }
    eligibility: Eligibility = load_policy(policy or form.policies[0]).newest.mechanism("eligibility")
    for condition in eligibility.conditions:
        for name, value in _met(chance, condition.test):
            facts.setdefault(name, value)
    if form.kind == "assessment":
        return facts
    wanted = {*form.data["official"], *form.data["working"]}
    facts |= {
        "above_designated_size": chance.random() < 0.5,
        "contact_person": "示例联系人",
        "contact_phone": "000-00000000",
        "industry": chance.choice(form.data["industries"][:4]),
        "approved_amount": f"{chance.choice(['120000', '166666.65', '166666.67', '200000', '90000.01'])}元",
        "saas_reduction_to_date": chance.choice(["0元", "0元", "0元", "3万元"]),
        "cloud_voucher_received": "0元"
        if "approved_amount" not in wanted
        else chance.choice(["0元", "0元", "1.5万元"]),
    }
    return {name: value for name, value in facts.items() if name in wanted or name in eligibility.facts()}


def _met(chance: random.Random, test: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Values that meet a test, now and then one that does not or none at all."""
    ((kind, body),) = test.items()
    if kind in ("all_of", "any_of", "none_of"):
        for part in body:
            yield from _met(chance, part)
        return
    name = body if isinstance(body, str) else body["fact"]
    draw = chance.random()
    if draw < 0.01 or fact(name).type in ("level", "money"):
        return
    if kind in ("is_true", "attested", "is_false"):
        yield name, (kind != "is_false") == (draw > 0.02)
    elif kind == "one_of":
        yield name, chance.choice(body["values"])
    elif kind == "between_dates":
        last = body.get("last", date(2025, 5, 31))
        earliest, latest = (150, 270) if name.endswith("_start") else (0, 120)
        yield name, (last - timedelta(days=chance.randint(earliest, latest))).isoformat()
        if "first_fact" in body:
            yield body["first_fact"], (last - timedelta(days=chance.randint(150, 270))).isoformat()
        # The ends that are facts are parameters an authority sets; the application has its own day.
        if body.get("last_fact", "application_date") != "application_date":
            yield body["last_fact"], "2025-12-31"


def _uscc(chance: random.Random) -> str:
    """A code with a right check character and a division that does not exist."""
    body = "91000000" + "".join(chance.choice(ALPHABET) for _ in range(9))
    return body + check_character(body)


def _spoil(folder: Path) -> None:
    """Three files as they turn up in practice: empty, a web page under a wrong name, cut off in transfer."""
    (folder / "空文件.xlsx").write_bytes(b"")
    (folder / "网页另存.xlsx").write_text("<html><body>示例</body></html>", encoding="utf-8")
    whole = next(iter(sorted(folder.glob("*/*.xlsx")))).read_bytes()
    (folder / "传输中断.xlsx").write_bytes(whole[: len(whole) // 2])
