"""How a reviewer writes an answer into one cell, and how the cell is read: letters, or the word of an option.

Where an option has a letter on the form, that letter is written; the options of another 多选 are lettered in printed
order; of another 单选 the word itself is written, because positions mean nothing there.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase

from xlcalc.errors import WorkbookError
from xlcalc.mechanisms.assessment_answers import Question
from xlcalc.mechanisms.cells import bare

_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)
_IGNORED = ("、", "，", ",")
_BRACKETS = str.maketrans({"（": "(", "）": ")", " ": "", "　": ""})


def lettered(question: Question) -> bool:
    """Whether its answer is written in letters."""
    return question.multi or all(len(code) == 1 for code in question.printed)


def signs(question: Question) -> tuple[str, ...]:
    """What is written for each option, in printed order.

    Raises WorkbookError ``E-FORM`` for a 多选 with more options than there are letters.
    """
    if all(len(code) == 1 and code in ascii_uppercase for code in question.printed):
        return question.printed
    if not question.multi:
        return tuple(question.options[question.index(code) or 0].label for code in question.printed)
    if len(question.printed) > len(ascii_uppercase):
        raise WorkbookError(
            "E-FORM", f"第{question.number}题有 {len(question.printed)} 个选项，字母不够用", remedy="请分题编制政策包"
        )
    return tuple(ascii_uppercase[: len(question.printed)])


def compared(question: Question) -> list[str]:
    """The signs as cleaned cells are compared with them."""
    return [clean(question, sign) for sign in signs(question)]


def clean(question: Question, text: str) -> str:
    """What ``clean_formula`` shows for a cell with this text."""
    plain = text.translate(_BRACKETS)
    if not lettered(question):
        return plain
    for sign in _IGNORED:
        plain = plain.replace(sign, "")
    return plain.translate(_UPPER)


def clean_formula(question: Question, ref: str) -> str:
    """The text of an answer without blanks; of letters also without commas, in capitals."""
    plain = bare(ref)
    if not lettered(question):
        return f"={plain}"
    for sign in _IGNORED:
        plain = f'SUBSTITUTE({plain},"{sign}","")'
    return f"=UPPER({plain})"


def readable(question: Question, text: str) -> int | str:
    """What ``readable_formula`` shows for a cleaned text: 1 or 0, "" for none."""
    if not text:
        return ""
    own = compared(question)
    if not lettered(question):
        return int(text in own)
    return int(all(letter in own for letter in text) and len(set(text)) == len(text))


def readable_formula(question: Question, text: str, own: str) -> str:
    """Whether a cleaned text is a sign, or letters each of which is one and stands once; own: the range of signs."""
    if not lettered(question):
        return f'=IF({text}="","",IF(SUMPRODUCT(({own}={text})*1)=1,1,0))'
    counts = f'(LEN({text})-LEN(SUBSTITUTE({text},{own},"")))'
    known = f"SUMPRODUCT({counts}*1)=LEN({text})"
    return f'=IF({text}="","",IF(AND({known},SUMPRODUCT(({counts}>1)*1)=0),1,0))'


def states(question: Question, text: str) -> list[int]:
    """The tick states of the options in printed order for a cleaned text: -1 where it cannot be read."""
    known = readable(question, text)
    if known == "":
        return [0] * len(question.printed)
    if known == 0:
        return [-1] * len(question.printed)
    own = compared(question)
    return [int(sign in text) for sign in own] if lettered(question) else [int(sign == text) for sign in own]


def state_formula(question: Question, text: str, known: str, sign: str) -> str:
    """The tick state of one option; text, known, sign: the cells of the cleaned text, its readability, the sign."""
    count = f'LEN({text})-LEN(SUBSTITUTE({text},{sign},""))' if lettered(question) else f"IF({text}={sign},1,0)"
    return f'=IF({known}="",0,IF({known}=0,-1,{count}))'


def written(question: Question, ticked: Sequence[int]) -> str:
    """An answer as it is written into its cell; ticked: positions of the options."""
    codes = {question.options[at].code for at in ticked}
    return "".join(sign for sign, code in zip(signs(question), question.printed, strict=True) if code in codes)


def codes_of(question: Question, ticks: Sequence[int]) -> list[str]:
    """The option codes ticked by states in printed order."""
    return [code for code, state in zip(question.printed, ticks, strict=True) if state == 1]


def prompt(question: Question, most: int = 250) -> str:
    """What may be written, for the hint beside the cell; labels are cut so that it fits."""
    how = "多选，字母连写，如 BC" if question.multi else "单选"
    labels = [question.options[question.index(code) or 0].label for code in question.printed]
    if not lettered(question):
        return f"{how}：{'、'.join(labels)}"
    own = signs(question)
    room = (most - len(how) - 1) // len(own) - 3
    shown = (label if len(label) <= room else f"{label[: room - 1]}…" for label in labels)
    return f"{how}：" + "；".join(f"{sign} {label}" for sign, label in zip(own, shown, strict=True))
