"""Plausible facts of invented enterprises for every official form, for the pictures and for what is tested on paper.

A case of the policy gives the facts a decision rests on; what a form asks besides is worded here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from casebook import json_facts, policy_cases
from documents_bench import project
from workbench import CLOUD_COMPANY, E1_ANSWERS, E1_SCENES, HOHHOT_COMPANY, SAAS_COMPANY, e1

from workbooks.form import form, forms
from workbooks.ports import Port
from workbooks.template import build_template, manifest
from xlcalc.facts import Fact, fact
from xlcalc.values.uscc import check_character

_FORMS = Path(__file__).parents[1] / "workbooks" / "forms"
NAME = "示例云溪食品有限公司"

HEAD = {"recommending_authority": "示例县工业和信息化局", "form_date": "2025-05-30"}

WORDS: dict[str, Any] = HEAD | {
    "enterprise_name": NAME, "committed_name": NAME, "cover_project_name": "示例云溪食品生产管控数字化改造项目",
    "project_name": "示例云溪食品生产管控数字化改造项目", "recommended_platform_name": "示例云桥中小企业服务平台",
    "county": "示例县", "registered_address": "示例省示例市示例县示例镇工业路1号",
    "correspondence_address": "示例市示例县示例镇工业路1号", "contact_person": "示例联系人",
    "contact_phone": "0311-86000000", "mobile_phone": "13800000000", "contact_email": "office@example.com",
    "listed_contact_email": "office@example.com", "legal_representative": "示例法人", "postal_code": "000000",
    "digital_service_provider": "示例远山软件有限公司", "industry_code": "1432", "industry_segment": "速冻食品制造",
    "other_industry_name": "无", "other_honour": "无", "other_scope": "无", "platform_url": "https://example.com",
    "platform_registration_number": "示例ICP备00000000号", "digital_officer": "示例专员",
    "digital_officer_phone": "0311-86000001", "form_filler": "示例填表人", "form_filler_phone": "0311-86000002",
    "reporting_contact": "示例经办人 0311-86000003", "self_assessment_platform": "石家庄中小企业数字化服务平台",
    "recognition_document": "示例工信〔2024〕1号", "industrial_internet_platform_name": "示例云溪供应链平台",
    "application_date": "2025-05-30", "tax_proof_year": 2024, "application_form_year": 2025,
    "audit_report_year": 2024, "year": 2024, "employees": 186, "survey_methods": ["上门拜访", "电话询问"],
    "reviewer": "示例评审甲", "review_date": "2025-10-08", "second_reviewer": "示例复核乙",
    "second_review_date": "2025-10-15", "summary_report_pages": 46, "case_mode": "platform", "listed_county": "示例县",
    "case_title": "以共用平台带动二十家供应商上云协同", "purchased": "2024年3月", "interviewee": "示例受访人",
    "position": "生产经理", "employer": "示例大学", "school": "示例大学", "duty": "平台运营",
    "service": "上云诊断、培训", "content": "制造执行系统订阅", "nature": "民营", "remark": "",
    "rating": "very_satisfied", "age": 36, "satisfaction": "satisfied", "education": "bachelor", "agreement": True,
}  # fmt: skip
"""What a form is filled in with, by fact or column."""

NOT_SO = {
    "prior_contract", "applied_in_other_direction", "centrally_funded_little_giant", "related_party", "affiliated",
    "chain_award_received", "previously_recognised", "tax_proof_partial_year", "prepaid", "draft_entrusted",
    "process_hazardous", "from_2023_edition", "joint", "dissatisfied",
}  # fmt: skip
"""Questions an enterprise in order answers with 否."""

_SENTENCES = (
    "公司主营速冻食品和调理肉制品，现有两条自动化生产线，年产能八千吨。",
    "改造前，生产计划靠手工排产，质量记录为纸质，仓库账实不符时有发生。",
    "项目部署制造执行系统、质量追溯系统和仓储管理系统，并与财务系统对接。",
    "关键工序的温度、压力和能耗由网关自动采集，异常时向班组长推送。",
    "改造后，订单交付周期由十二天缩短到八天，一次合格率提高三个百分点。",
    "系统与供应商共享到货计划，原料库存平均下降两成，单位产值能耗下降。",
    "公司成立由总经理牵头的数字化领导小组，每月召开例会，明确责任和考核。",
    "下一步将把质量数据开放给上下游企业，形成可复制、可推广的做法。",
)
_SHORT = {"text": 18, "passage": 40}


def passage(label: str, most: int) -> str:
    """A text of at most so many characters that begins with what it is about; several paragraphs where it is long."""
    text, number = f"（{label}）", 0
    while len(text) + len(_SENTENCES[number % 8]) + 1 <= most:
        text += _SENTENCES[number % 8] + ("\n" if number % 8 == 7 else "")
        number += 1
    return text.strip()


@cache
def _room(form_id: str) -> Mapping[str, int]:
    """How many characters a form's box for a text holds, by fact or by table, row and column."""
    data = tomllib.loads((_FORMS / f"{form_id}.toml").read_text(encoding="utf-8"))

    def walk(part: Any, table: str, rows: int) -> Iterator[tuple[str, int]]:
        if isinstance(part, list):
            for inner in part:
                yield from walk(inner, table, rows)
        elif isinstance(part, dict) and part.get("kind") == "passage":
            keys = [part["fact"]] if "fact" in part else [f"{table}_{n}_{part['column']}" for n in range(1, rows + 1)]
            yield from ((key, part.get("room", 300)) for key in keys)
        elif isinstance(part, dict):
            repeated = part.get("kind") == "rows"
            for inner in part.values():
                yield from walk(inner, part["fact"] if repeated else table, part["count"] if repeated else rows)

    return dict(walk(data, "", 0))


def _value(known: Fact, port: Port, row: int, most: int) -> Any:
    if known.id in WORDS:
        return WORDS[known.id]
    codes = [code for code in known.options if code in port.items] if known.type == "options" else list(known.options)
    label = known.label.rpartition("：")[2]
    made = {
        "text": lambda: f"示例{label}{row or ''}"[: _SHORT["text"]], "passage": lambda: passage(label, most),
        "bool": lambda: known.id not in NOT_SO, "uscc": lambda: code_of(row or 1), "integer": lambda: 10 + row,
        "number": lambda: "12.5", "share": lambda: "25%", "level": lambda: 2,
        "money": lambda: f"{100000 * (row or 1)}元",
        "date": lambda: f"2024-0{1 + row % 9}-15", "option": lambda: codes[row % len(codes) if row else 0],
        "options": lambda: codes[:2], "ticks": lambda: dict.fromkeys(port.items, True),
        "texts": lambda: {key: passage(label, 60) for key in port.items},
    }  # fmt: skip
    return made[known.type]() if known.type in made else None


def code_of(number: int) -> str:
    """A right code of a division that does not exist."""
    body = f"91000000MA{number:07d}"
    return body + check_character(body)


@cache
def _decided(policy: str) -> Mapping[str, Any]:
    """The facts of the policy's first case that is determined."""
    found = [
        case for case in policy_cases()
        if case.policy == policy and not case.version and case.expect.get("status") == "determined"
    ]  # fmt: skip
    newest = [case for case in found if "2024" not in case.name] or found
    return json_facts(newest[0].facts) if newest else {}


def facts_for(form_id: str) -> dict[str, Any] | list[dict[str, Any]]:
    """Facts for every input of a form: one enterprise, or a dozen for a form with one a row."""
    spec = form(form_id)
    if spec.kind == "assessment":
        figures: dict[str, Any] = {"q2": {"choice": "C", "total": 60, "digital": 20}}
        figures["q3"] = {"choice": "B", "total": 60, "connected": 7}
        evidence = {key: f"第{number}章 第 {number + 2} 页" for number, key in enumerate(E1_ANSWERS, 1)}
        scenes = {key: f"第 {number + 20} 页" for number, key in enumerate(E1_SCENES, 1)}
        return e1(answers=figures, evidence=evidence, scene_evidence=scenes)
    if spec.kind == "review":
        scenes = {port: E1_SCENES.get(port, 0) for port in _scene_keys(form_id)}
        judged = {**E1_ANSWERS, "q5": "B", "q1": ["B", "D"]}
        own = {name: HOHHOT_COMPANY[name] for name in ("enterprise_name", "uscc", "application_date")}
        people = ("reviewer", "review_date", "second_reviewer", "second_review_date", "summary_report_pages")
        reasons = {"q5": "只有一个环节的系统可以核实", "q1": "现场为租用 5G 网络", "quality": "已与生产系统集成"}
        return own | {name: WORDS[name] for name in people} | {
            "answers": E1_ANSWERS, "scenes": E1_SCENES, "reviewed_answers": judged, "review_reasons": reasons,
            "reviewed_scenes": scenes | {"quality": 3}, "second_reviewed_answers": {**judged, "q5": "C"},
            "second_review_reasons": {"q5": "补充材料第12页可以核实"},
            "evidence": {key: f"第二章 第 {number} 页" for number, key in enumerate(E1_ANSWERS, 3)},
        }  # fmt: skip
    if spec.kind in ("recommendation", "summary"):
        return [_row(form_id, number) for number in range(1, 13)]
    return _application(form_id)


def _scene_keys(form_id: str) -> list[str]:
    from xlcalc import load_policy

    return [scene.key for scene in load_policy(form(form_id).policies[0]).newest.mechanism("assessment").scenes]


_TRADES = ("食品", "机械", "电子", "医药", "服饰", "新材料")


def _row(form_id: str, number: int) -> dict[str, Any]:
    """One enterprise of a 推荐表 or 汇总表."""
    names = {"enterprise_name", "listed_enterprise_name"}
    base = {"shijiazhuang.saas_recommendation": SAAS_COMPANY, "shijiazhuang.cloud_recommendation": CLOUD_COMPANY}
    made: dict[str, Any] = dict(base.get(form_id, {})) | {"uscc": code_of(number)} if form_id in base else {}
    for port in manifest(form_id).ports:
        if port.direction != "in" or port.fact is None or port.fact in (*made, "listed_directions", "uscc"):
            continue
        made[port.fact] = _value(fact(port.fact), port, number, 120)
    ports = {port.fact for port in manifest(form_id).ports}
    if "listed_directions" in ports:
        made["listed_directions"] = ["lighthouse", "innovation"] if number % 2 else ["smart_factory"]
        made["listed_industry"] = "biomedicine"
    if "listed_case_title" in ports:
        made |= {"listed_case_title": f"以共用平台带动供应商上云协同（{number}）", "listed_case_mode": "platform"}
    made |= dict.fromkeys(names & ports, f"示例{_TRADES[number % 6]}{number}号有限公司")
    for name in ("contact_phone", "listed_contact_phone"):
        made |= {name: f"0311-860000{number:02d}"} if name in ports else {}
    return made


def _application(form_id: str) -> dict[str, Any]:
    """One enterprise of a form of fields, passages and tables."""
    case = _decided(form(form_id).policies[0])
    held = {name: value for name, value in case.items() if fact(name).type not in ("passage", "table", "texts")}
    rows = {"survey_sample": 10, "reviewers": 5, "led_enterprises": 20, "staff_list": 12, "served_enterprises": 80,
            "service_equipment": 12, "operations": 2, "partners": 10}  # fmt: skip
    facts: dict[str, Any] = {}
    for port in manifest(form_id).ports:
        if port.direction != "in" or port.fact is None:
            continue
        known = fact(port.fact)
        column = port.name.removeprefix("c_").removeprefix("r_").removeprefix(f"{known.id}_")
        if port.name.startswith("c_"):
            for number, row in enumerate(facts.setdefault(known.id, [{} for _ in range(rows.get(known.id, 3))]), 1):
                row[column] = _value(known.columns[column], port, number, 40)
        elif port.name.startswith("r_"):
            number, _, name = column.partition("_")
            table = facts.setdefault(known.id, [])
            table += [{} for _ in range(int(number) - len(table))]
            room = _room(form_id).get(f"{known.id}_{column}", 100)
            table[int(number) - 1][name] = _value(known.columns[name], port, int(number), room)
        else:
            facts[known.id] = _value(known, port, 0, _room(form_id).get(known.id, 300))
    if "investment_lines" in facts:
        facts |= {name: value for name, value in project().items() if name in facts}
        for table in ("pilot_roster", "recognised_register", "prior_software", "service_provider_roster"):
            facts.pop(table, None)
    asked = facts.keys()
    return facts | {name: value for name, value in held.items() if name in asked and name not in WORDS}


@cache
def filled_form(form_id: str) -> bytes:
    return build_template(form_id, facts_for(form_id))


def form_ids() -> list[str]:
    return list(forms())
