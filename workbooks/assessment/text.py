"""The sentences of the 自评估报告 that carry live numbers: as formulas, and as the values they show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.results.trace import decimal_text
from xlcalc.values.levels import LABELS

_BLANK = re.compile(r"\{([\w.]+)\}")
_RATES = {"q2.rate": ("digital.0", "total.0"), "q3.rate": ("connected.0", "total.0")}
_CELLS = {"q2.total": "total.0", "q2.digital": "digital.0", "q3.connected": "connected.0"}


def blank_formula(template: str, refs: Mapping[str, str]) -> str:
    """A printed sentence whose ［］ are filled from the figures; empty figures leave the blank empty."""
    parts = []
    for place, piece in enumerate(_BLANK.split(template)):
        if place % 2 == 0:
            parts.append(f'"{piece}"')
        elif piece in _RATES:
            part, whole = (refs[key] for key in _RATES[piece])
            rate = f"INT((20000*{part}+{whole})/(2*{whole}))/100"
            parts.append(f'IF(COUNT({part},{whole})=2,IF({whole}>0,{rate}&"%",""),"")')
        elif piece == "q11.investment":
            years = ",".join(refs[f"investment.{year}"] for year in range(3))
            scaled = f"ROUND(SUM({years})*10000,0)"
            mean = f"INT((2*{scaled}+100*COUNT({years}))/(200*COUNT({years})))/100"
            parts.append(f'IF(COUNT({years})=0,"",{mean})')
        else:
            ref = refs[_CELLS.get(piece, piece)]
            parts.append(f'IF({ref}="","",{ref})')
    return "=" + "&".join(part for part in parts if part != '""')


def blank_value(template: str, figures: Mapping[str, Decimal | str | None]) -> str:
    """What ``blank_formula`` shows; figures: number or text of each cell by ``key.place``, None if empty."""

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name in _RATES:
            part, whole = (figures[key] for key in _RATES[name])
            if not isinstance(part, Decimal) or not isinstance(whole, Decimal) or whole <= 0:
                return ""
            return _plain(Decimal((20000 * part + whole) // (2 * whole)) / 100) + "%"
        if name == "q11.investment":
            years = [value for year in range(3) if isinstance(value := figures[f"investment.{year}"], Decimal)]
            if not years:
                return ""
            count = len(years)
            scaled = (sum(years, Decimal(0)) * 10000).quantize(Decimal(1), rounding="ROUND_HALF_UP")
            return _plain(Decimal((2 * scaled + 100 * count) // (200 * count)) / 100)
        value = figures[_CELLS.get(name, name)]
        return "" if value is None else _plain(value) if isinstance(value, Decimal) else value

    return _BLANK.sub(fill, template)


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def count_lines(at: Mapping[str, str]) -> dict[str, str]:
    """The two count rows of the 等级判定表: how many scenes stand at each level or above."""

    names = {n: (at[f"scenes_{n}"], at[f"mandatory_{n}"]) for n in range(1, 5)}
    mandatory = "=" + '&"；"&'.join(f'"{LABELS[n]}及以上 "&{names[n][1]}&" 个"' for n in range(1, 5))
    guiding = "=" + '&"；"&'.join(f'"{LABELS[n]}及以上 "&({names[n][0]}-{names[n][1]})&" 个"' for n in range(1, 5))
    return {"mandatory": mandatory, "guiding": guiding}


def count_values(values: Mapping[str, Any]) -> dict[str, str]:
    """What ``count_lines`` shows."""
    pairs = {n: (values[f"scenes_{n}"], values[f"mandatory_{n}"]) for n in range(1, 5)}
    return {
        "mandatory": "；".join(f"{LABELS[n]}及以上 {pairs[n][1]} 个" for n in range(1, 5)),
        "guiding": "；".join(f"{LABELS[n]}及以上 {pairs[n][0] - pairs[n][1]} 个" for n in range(1, 5)),
    }


def names_formula(assessment: Assessment, codes: Sequence[str], level: str) -> str:
    """The names of the scenes at the awarded level (at 一级 without one), each followed by 、."""
    shown = f"MAX({level},1)"
    names = "&".join(
        f'IF({code}>={shown},"{scene.label}、","")' for scene, code in zip(assessment.scenes, codes, strict=True)
    )
    return f'=IF({level}="","",{names})'


def names_value(assessment: Assessment, codes: Sequence[int], level: int | str) -> str:
    """What ``names_formula`` shows."""
    if isinstance(level, str):
        return ""
    at = max(level, 1)
    return "".join(f"{scene.label}、" for scene, code in zip(assessment.scenes, codes, strict=True) if code >= at)


def summary_text(at: Mapping[str, str]) -> dict[str, str]:
    """The cells of （一）整体情况."""
    level, score = at["level"], at["score"]
    shown = f"MAX({level},1)"
    names = f"LEFT({at['names']},MAX(LEN({at['names']})-1,0))"
    label = f'IF({shown}=1,"一",IF({shown}=2,"二",IF({shown}=3,"三","四")))'
    gaps = (at["gap_points"], at["gap_scenes"], at["gap_mandatory"])
    wants = "&".join(
        f'IF({gap}>0,"{before}"&ROUND({gap},6)&"{after}","")'
        for gap, before, after in zip(gaps, (" ", " ", " "), (" 分", " 个场景", " 个约束性场景"), strict=True)
    )
    reached = f'{at["scenes_at_level"]}&" 个应用场景等级达到"'
    upper = f'IF({level}=0,"一级",IF({level}=1,"二级",IF({level}=2,"三级","四级")))'
    return {
        "score": f'=IF(ISNUMBER({score}),ROUND({score},6)&" 分",{score})',
        "scenes": f'=IF({level}="",{at["level_text"]},{reached}&{label}&"级，分别是："&{names})',
        "mandatory": f'=IF({level}="","","其中 "&{at["mandatory_at_level"]}&" 个约束性场景")',
        "level": f"={at['level_text']}",
        "gap": f'=IF({level}="","",IF({level}=4,"已达到最高等级","距"&{upper}&"还差："&{wants}))',
    }


def summary_values(assessment: Assessment, values: Mapping[str, Any], codes: Sequence[int]) -> dict[str, str]:
    """What ``summary_text`` shows."""
    score = values["score"]
    shown_score = f"{decimal_text(score)} 分" if isinstance(score, Fraction) else str(score)
    level = values["level"]
    if level == "":
        return {
            "score": shown_score,
            "scenes": values["level_text"],
            "mandatory": "",
            "level": values["level_text"],
            "gap": "",
        }
    at = max(level, 1)
    names = names_value(assessment, codes, level).removesuffix("、")
    gap = "已达到最高等级"
    if level < 4:
        wants = (
            (values["gap_points"], "分"),
            (values["gap_scenes"], "个场景"),
            (values["gap_mandatory"], "个约束性场景"),
        )
        gap = f"距{LABELS[level + 1]}还差：" + "".join(
            f" {decimal_text(Fraction(want))} {unit}" for want, unit in wants if want > 0
        )
    return {
        "score": shown_score,
        "scenes": f"{values['scenes_at_level']} 个应用场景等级达到{LABELS[at]}，分别是：{names}",
        "mandatory": f"其中 {values['mandatory_at_level']} 个约束性场景",
        "level": values["level_text"],
        "gap": gap,
    }
