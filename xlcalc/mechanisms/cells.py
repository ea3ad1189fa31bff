"""Pieces of native formulas that several mechanisms emit; Excel-2010 functions only."""

from __future__ import annotations

BAD_AMOUNT = "金额有误"
BAD_LEVEL = "等级有误"


def usable_amount(ref: str) -> str:
    """A test for a cell in 元: a number, not negative, in whole fen, within the exact range."""
    return f"IF(ISNUMBER({ref}),AND({ref}>=0,{ref}<=10000000000,ABS({ref}*100-ROUND({ref}*100,0))<0.001),FALSE)"


def fen_or_zero(ref: str) -> str:
    """What a cell in 元 holds, in fen; an empty cell or what is no amount counts as nothing."""
    return f"IF({usable_amount(ref)},ROUND({ref}*100,0),0)"


def bare(ref: str) -> str:
    """A cell's text without blanks, full-width ones included, and with half-width brackets, as it is read here."""
    for old, new in ((" ", ""), ("　", ""), ("（", "("), ("）", ")")):
        ref = f'SUBSTITUTE({ref},"{old}","{new}")'
    return ref


def level_code(ref: str, spellings: str, codes: str) -> str:
    """0–4 for a cell with a level in any accepted spelling; "" when empty, -1 when unreadable."""
    # Compared with =, not MATCH, which takes * and ? for any text.
    found = f"({spellings}={bare(ref)})"
    return f'=IF({bare(ref)}="","",IF(SUMPRODUCT({found}*1)>0,SUMPRODUCT({found}*{codes}),-1))'
