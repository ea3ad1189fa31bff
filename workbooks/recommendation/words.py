"""Words that a formula shows and a recalculation writes in its place."""

from __future__ import annotations

from xlcalc.mechanisms.cells import BAD_LEVEL

HINTS = ("请填验收等级", BAD_LEVEL, "请填核定金额", "未达二级，不予发放", "已计算，待核查资格")
"""Beside the result of a row: why there is none yet, or that there is one."""

TRIAL, ACCEPTED, WAITING = "试算（按自评等级）", "按验收等级", "待填写核定投入或等级"
"""On what the amount of 补贴测算 rests."""
