"""The 申报流程图: the states of a policy as boxes, its steps as arrows, drawn from the pack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openpyxl.styles import Alignment
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.building import style
from workbooks.building.canvas import WHOLE, Canvas
from workbooks.building.draft import Draft
from xlcalc.packs.policy import Version

_BOX, _ARROW, _SIDE = (0, 5), (5, 8), (8, WHOLE)
"""Twelfths that a box on the way, the arrow beside it and the box it leads to take."""
_CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
_HEIGHT = 26.0


@dataclass(frozen=True, slots=True)
class Step:
    """A transition: ``by`` whom."""

    source: str
    target: str
    label: str
    by: str

    def __str__(self) -> str:
        return f"{self.label}（{self.by}）" if self.by else self.label


@dataclass
class Flow:
    """The states by key, the steps between them, and the way: the shortest from the first state to the last.

    drawn: the states that have a box. told: the steps that stand somewhere.
    """

    labels: Mapping[str, str]
    steps: Sequence[Step]
    way: Sequence[str]
    drawn: set[str] = field(init=False)
    told: set[Step] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.drawn = set(self.way)

    def onward(self, state: str) -> list[Step]:
        """The steps from a state that stand nowhere yet."""
        return [step for step in self.steps if step.source == state and step not in self.told]

    def down(self, source: str, target: str) -> list[Step]:
        """The steps from one state on the way to the next."""
        found = [step for step in self.onward(source) if step.target == target]
        self.told.update(found)
        return found

    def aside(self, state: str) -> Iterator[tuple[str, str]]:
        """What a state leads to off the way, and that in turn: (what the arrow says, what the box says).

        A state has one box, with its steps back; where it is reached again its name is given.
        """
        waiting = [state]
        while waiting:
            here = waiting.pop(0)
            since = "" if here == state else f"“{self.labels[here]}”后"
            for step in self.onward(here):
                self.told.add(step)
                label = self.labels[step.target]
                if step.target in self.drawn:
                    yield f"{since}{step} →", f"转“{label}”"
                    continue
                self.drawn.add(step.target)
                waiting.append(step.target)
                back = [on for on in self.onward(step.target) if on.target in self.drawn]
                self.told.update(back)
                yield f"{since}{step} →", "\n".join([label, *(f"{on}：转“{self.labels[on.target]}”" for on in back)])


def flow_of(version: Version) -> Flow:
    """The states and transitions of a version."""
    roles = {row["key"]: row["label"] for row in version.data["role"]}
    steps = [
        Step(row["source"], row["target"], row["label"], roles.get(row["by"], "")) for row in version.data["transition"]
    ]
    labels = {row["key"]: row["label"] for row in version.data["state"]}
    return Flow(labels, steps, _shortest(steps, next(iter(labels)), list(labels)[-1]))


def _shortest(steps: Sequence[Step], first: str, last: str) -> tuple[str, ...]:
    ways: list[tuple[str, ...]] = [(first,)]
    for way in ways:
        if way[-1] == last:
            return way
        seen = {state for other in ways for state in other}
        ways += [(*way, step.target) for step in steps if step.source == way[-1] and step.target not in seen]
    return (first,)


def flow_sheet(draft: Draft, sheet: Worksheet, spec: Mapping[str, Any]) -> None:
    """One box under another for the way, others beside the box they are reached from."""
    flow = flow_of(draft.versions[spec.get("policy", draft.form.policies[0])])
    canvas = Canvas(draft, sheet)
    canvas.merge(0, WHOLE, spec.get("annex", ""), font=style.ANNEX, box=False, align=style.START)
    canvas.next(22)
    canvas.merge(0, WHOLE, spec.get("heading", spec["title"]), font=style.TITLE, box=False, align=style.CENTRE)
    canvas.next(40)
    for state, following in zip(flow.way, [*flow.way[1:], ""], strict=True):
        down = flow.down(state, following)
        _box(canvas, flow, state)
        if following:
            said = "↓ " + "；".join(map(str, down))
            canvas.merge(*_BOX, said, font=style.SMALL, align=_CENTRE, box=False)
            canvas.next(style.text_height(said, canvas.width(*_BOX), style.SMALL))
    canvas.next(8)
    for line in spec.get("lines", ()):
        canvas.merge(0, WHOLE, line, font=style.SMALL, box=False)
        canvas.next(style.text_height(line, canvas.width(0), style.SMALL))
    canvas.finish(spec, one_page=True)


def _box(canvas: Canvas, flow: Flow, state: str) -> None:
    """A box on the way and, beside it, what it leads to off the way."""
    aside = list(flow.aside(state))
    canvas.merge(*_BOX, flow.labels[state], rows=max(1, len(aside)), font=style.STRONG, align=style.CENTRE)
    for arrow, box in aside:
        canvas.merge(*_ARROW, arrow, font=style.SMALL, align=_CENTRE, box=False)
        canvas.merge(*_SIDE, box, font=style.SMALL, align=style.CENTRE)
        needed = (style.text_height(arrow, canvas.width(*_ARROW), style.SMALL),
                  style.text_height(box, canvas.width(*_SIDE), style.SMALL))  # fmt: skip
        canvas.next(max(_HEIGHT, *needed))
    if not aside:
        canvas.next(_HEIGHT)
