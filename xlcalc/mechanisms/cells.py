"""Pieces of native formulas that several mechanisms emit; Excel-2010 functions only."""

from __future__ import annotations

BAD_AMOUNT = "金额有误"
BAD_LEVEL = "等级有误"


def usable_amount(ref: str) -> str:
    """A test for a cell in 元: a number, not negative, in whole fen, within the exact range."""
    return f"IF(ISNUMBER({ref}),AND({ref}>=0,{ref}<=10000000000,ABS({ref}*100-ROUND({ref}*100,0))<0.001),FALSE)"


def fen_or_zero(ref: str) -> str:
    """What a cell in 元 holds, in fen; an empty cell or text counts as nothing."""
    return f"IF(ISNUMBER({ref}),ROUND({ref}*100,0),0)"


def level_code(ref: str, spellings: str, codes: str) -> str:
    """0–4 for a cell with a level in any accepted spelling; "" when empty, -1 when unreadable."""
    place = f"MATCH(TRIM({ref}),{spellings},0)"
    return f'=IF(TRIM({ref})="","",IF(ISNUMBER({place}),INDEX({codes},{place}),-1))'
