"""The hidden sheet of the 评审工作簿: what each opinion's cells say, and the results that follow, thrice."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from workbooks.assessment.layout import Refs, option_rows, result_names
from workbooks.building.draft import PARAMETER_SHEET, Draft
from workbooks.flavour import result_cells, units_called
from workbooks.form import NATIVE, UDF
from workbooks.review.answers import clean_formula, compared, readable_formula, state_formula
from workbooks.review.layout import (
    ANSWERS,
    CALLED_LEVELS,
    CLEAN,
    COUNTED,
    FIRST_OPTION,
    FIRST_ROW,
    FIRST_WORK,
    LEVELS,
    MASKS,
    OPINIONS,
    PART_RATES,
    PARTS,
    QUESTIONS,
    RATE_PLACES,
    READ_LEVELS,
    READABLE,
    RESULT_NAMES,
    RESULTS,
    SCENES,
    SELF,
    STATES,
    UNITS,
    WORK,
    Opinion,
    parts,
    question_states,
    result_refs,
    span,
)
from xlcalc.mechanisms import assessment_cells
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.mechanisms.cells import level_code
from xlcalc.values.levels import SPELLINGS


def add_work(draft: Draft, assessment: Assessment) -> None:
    """Lays out the sheet and the parameters its formulas compare with."""
    sheet = draft.sheet(WORK, hidden=True)
    refs = _parameters(draft, assessment)
    for opinion in OPINIONS:
        _answers(draft, sheet, assessment, opinion, refs)
        _levels(draft, sheet, assessment, opinion, refs)
        _results(draft, sheet, assessment, opinion, refs)
        _rates(draft, sheet, assessment, opinion)


def _parameters(draft: Draft, assessment: Assessment) -> Refs:
    """signs, points, weights: the first cell of each is that of the first option in printed order."""
    blocks = assessment_cells.parameters(assessment)
    rows = []
    for question in assessment.questions:
        options = [question.options[question.index(code) or 0] for code in question.printed]
        for place, (option, sign) in enumerate(zip(options, compared(question), strict=True)):
            rows.append([sign, option.units, 2**place])
    written = draft.parameters("options", rows)
    refs: Refs = {"scale": draft.parameters("scale", blocks["scale"])[0][0]}
    for place, cells in enumerate(written):
        refs |= {f"sign_{place}": cells[0], f"units_{place}": cells[1], f"weight_{place}": cells[2]}
    mandatory = draft.parameters("scenes", blocks["scenes"])
    refs["mandatory"] = _block(mandatory, 0)
    for number, row in enumerate(draft.parameters("levels", blocks["levels"]), 1):
        refs |= dict(
            zip((f"{number}_level", f"{number}_units", f"{number}_scenes", f"{number}_mandatory"), row, strict=True)
        )
    spellings = draft.parameters("spellings", [[word, level] for word, level in SPELLINGS.items()])
    refs |= {"words": _block(spellings, 0), "codes": _block(spellings, 1)}
    version = draft.versions[draft.form.policies[0]]
    draft.parameters("most", [[question.most] for question in assessment.questions])
    draft.parameters("part_most", [[part.most(assessment)] for part in parts(version, assessment)])
    return refs


def _block(rows: list[list[str]], column: int) -> str:
    return f"{rows[0][column]}:{rows[-1][column].split('!')[1]}"


def _answers(draft: Draft, sheet: Worksheet, assessment: Assessment, opinion: Opinion, refs: Refs) -> None:
    at = opinion.place
    for place, (question, first, last, ticks) in enumerate(question_states(assessment, opinion)):
        row = FIRST_WORK + place
        own = {
            name: f"{refs[f'{name}_{first - FIRST_OPTION}']}:{refs[f'{name}_{last - FIRST_OPTION}'].split('!')[1]}"
            for name in ("sign", "units", "weight")
        }
        text, known, units = f"${CLEAN[at]}${row}", f"${READABLE[at]}${row}", f"${UNITS[at]}${row}"
        sheet[f"{CLEAN[at]}{row}"] = clean_formula(question, f"{QUESTIONS}!${ANSWERS[at]}${FIRST_ROW + place}")
        sheet[f"{READABLE[at]}{row}"] = readable_formula(question, text, own["sign"])
        for option in range(first, last + 1):
            sheet[f"{STATES[at]}{option}"] = state_formula(question, text, known, refs[f"sign_{option - FIRST_OPTION}"])
        exclusive = next(
            (n for n, code in enumerate(question.printed) if question.options[question.index(code) or 0].exclusive), 0
        )
        native = assessment_cells.question_units(question, ticks, f"${STATES[at]}${first + exclusive}", own["units"])
        sheet[f"{UNITS[at]}{row}"] = (
            native
            if draft.flavour == NATIVE
            else units_called(native, ticks, own["units"], question_call(draft, place, ticks), refs["scale"])
        )
        mask = f"SUMPRODUCT({ticks},{own['weight']})"
        sheet[f"{MASKS[at]}{row}"] = f'=IF(ISNUMBER({units}),IF({units}<0,"",{mask}),"")'
    options = option_rows(assessment)[-1][2]
    _port(draft, sheet, f"k_{opinion.key}_states", STATES[at], FIRST_OPTION, options)
    last_row = FIRST_WORK + len(assessment.questions) - 1
    for name, letters in (("clean", CLEAN), ("readable", READABLE), ("units", UNITS), ("masks", MASKS)):
        _port(draft, sheet, f"k_{opinion.key}_{name}", letters[at], FIRST_WORK, last_row)


def question_call(draft: Draft, place: int, ticks: str) -> str:
    """The call for the points of a question; place: its number on the sheet of questions."""
    call = draft.calls(draft.form.policies[0])
    return call("XLC_QUESTION_SCORE", question=f"{QUESTIONS}!$A${FIRST_ROW + place}", answer=ticks)


def _port(draft: Draft, sheet: Worksheet, name: str, column: str, first: int, last: int) -> None:
    draft.port(sheet, f"{column}{first}:{column}{last}", name, "out")


def _levels(draft: Draft, sheet: Worksheet, assessment: Assessment, opinion: Opinion, refs: Refs) -> None:
    """A scene without a level counts as none; whether it was looked at is kept beside."""
    at = opinion.place
    for place in range(len(assessment.scenes)):
        row = FIRST_WORK + place
        cell = f"{SCENES}!${LEVELS[at]}${FIRST_ROW + place}"
        sheet[f"{READ_LEVELS[at]}{row}"] = level_code(cell, refs["words"], refs["codes"])
        read = f"${READ_LEVELS[at]}{row}"
        sheet[f"{COUNTED[at]}{row}"] = f'=IF({read}="",0,{read})'
        if draft.flavour == UDF:
            sheet[f"{CALLED_LEVELS[at]}{row}"] = f"=MAX(${COUNTED[at]}{row},0)"
    last = FIRST_WORK + len(assessment.scenes) - 1
    _port(draft, sheet, f"k_{opinion.key}_read_levels", READ_LEVELS[at], FIRST_WORK, last)
    _port(draft, sheet, f"k_{opinion.key}_codes", COUNTED[at], FIRST_WORK, last)
    if draft.flavour == UDF:
        _port(draft, sheet, f"k_{opinion.key}_levels", CALLED_LEVELS[at], FIRST_WORK, last)


def _results(draft: Draft, sheet: Worksheet, assessment: Assessment, opinion: Opinion, refs: Refs) -> None:
    at, scenes = opinion.place, len(assessment.scenes)
    names = list(result_names(assessment))
    options = option_rows(assessment)[-1][2] - FIRST_OPTION + 1
    own = {name: ref for name, ref in refs.items() if name[0].isdigit() or name in ("scale", "mandatory")}
    own |= result_refs(result_names(assessment), opinion)
    own |= {
        "units": span(UNITS[at], FIRST_WORK, len(assessment.questions)),
        "codes": span(COUNTED[at], FIRST_WORK, scenes),
        "states": span(STATES[at], FIRST_OPTION, options),
        "levels": span(CALLED_LEVELS[at], FIRST_WORK, scenes),
    }
    cells = result_cells(draft, assessment, own)
    if opinion is not SELF:
        # The form counts a scene the enterprise left blank as none; one a reviewer left blank is not reviewed.
        read = span(READ_LEVELS[at], FIRST_WORK, scenes)
        cells["level"] = f'=IF(COUNTIF({read},">=0")<ROWS({read}),"",{cells["level"].removeprefix("=")})'
    for place, name in enumerate(names):
        row = FIRST_WORK + place
        sheet[f"{RESULT_NAMES}{row}"] = name
        sheet[f"{RESULTS[at]}{row}"] = cells[name]
        draft.port(sheet, f"{RESULTS[at]}{row}", f"k_{opinion.key}_{name}", "out")


def _rates(draft: Draft, sheet: Worksheet, assessment: Assessment, opinion: Opinion) -> None:
    """What part of its points each dimension and indicator reached, for the charts, rounded for display.

    One that is not all answered is #N/A, which a chart leaves out; it is not zero.
    """
    at = opinion.place
    found = parts(draft.versions[draft.form.policies[0]], assessment)
    most = [f"{PARAMETER_SHEET}!${cell.column_letter}${cell.row}" for cell in draft.cells("p_part_most")]
    for place, part in enumerate(found):
        row = FIRST_WORK + place
        sheet[f"{PARTS}{row}"] = part.label
        units = units_of(part.questions, opinion)
        sheet[f"{PART_RATES[at]}{row}"] = (
            f"=IF({answered(units)},ROUND(SUM({','.join(units)})/{most[place]},{RATE_PLACES}),NA())"
        )
    _port(draft, sheet, f"k_{opinion.key}_rates", PART_RATES[at], FIRST_WORK, FIRST_WORK + len(found) - 1)


def units_of(questions: tuple[int, ...], opinion: Opinion) -> list[str]:
    """The cells with the score units of some questions."""
    return [f"{WORK}!${UNITS[opinion.place]}${FIRST_WORK + place}" for place in questions]


def answered(units: list[str]) -> str:
    """A test for cells that all hold score units."""
    listed = ",".join(units)
    return f"IF(COUNT({listed})={len(units)},MIN({listed})>=0,FALSE)"
