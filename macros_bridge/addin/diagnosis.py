"""What a doctor says of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "mind", "bad"]
LABELS: dict[State, str] = {"ok": "正常", "mind": "注意", "bad": "不可用"}


@dataclass(frozen=True)
class Line:
    """One thing looked at; remedy is empty where there is nothing to do."""

    state: State
    what: str
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        todo = f"。处理：{self.remedy}" if self.remedy else ""
        return f"[{LABELS[self.state]}] {self.what}：{self.found}{todo}"
