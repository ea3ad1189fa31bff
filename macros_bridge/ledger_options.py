"""Options that the commands of ``xlcalc ledger`` share, and how they open the ledger and print."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from macros_bridge.options import chosen, day_given
from xlcalc.errors import InputError
from xlcalc.values.dates import chinese_date

if TYPE_CHECKING:
    from workbooks.ledger.acts import Act
    from workbooks.ledger.database import Ledger

Where = Annotated[
    str,
    typer.Option("--ledger", envvar="XLCALC_LEDGER", help="台账文件（如 台账.db）或 postgresql://用户@主机/库名"),
]
Code = Annotated[str, typer.Argument(help="统一社会信用代码")]
Policy = Annotated[str, typer.Option("--policy", help="政策，如 xlcalc packs 所列")]
Batch = Annotated[str, typer.Option("--batch", help="批次，如 2025年第一批")]
Operator = Annotated[str, typer.Option("--operator", help="经办人")]
Day = Annotated[str, typer.Option("--date", help="办理日期，如 2025-06-30")]
Document = Annotated[str, typer.Option("--document", help="文号")]
Reason = Annotated[str, typer.Option("--reason", help="原因")]
Json = Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档")]
Page = Annotated[int, typer.Option("--page", min=1, help="名单很长时看第几页，每页 500 项")]
On = Annotated[str | None, typer.Option("--on", help="申报日期，如 2025-05-31")]
Choose = Annotated[list[str] | None, typer.Option("--choose", help="选用口径，如 AMB-01=combined，可多次")]


def opened(address: str) -> Ledger:
    """The ledger at an address; the database is loaded only by commands that use it."""
    from workbooks.ledger.database import open_ledger

    return open_ledger(address)


def act_by(operator: str, day: str, document: str = "", reason: str = "") -> Act:
    """The clock is read here and nowhere else: the time at which a person enters something.

    Raises InputError ``E-DATE`` for a day that is still to come, which is a slip of the pen.
    """
    from workbooks.ledger.acts import Act

    named = day_named(day, "--date")
    if named > datetime.now().date():
        raise InputError("E-DATE", f"办理日期 {chinese_date(named)} 还没有到", where="--date", remedy="请核对日期")
    return Act(operator, named, datetime.now(UTC), document, reason)


def choices_known(given: list[str] | None) -> dict[str, str]:
    """Choices as ``chosen`` reads them; one that no policy knows is a slip of the pen and an error ``E-CHOICE``."""
    from macros_bridge.running import _known_choices

    found = chosen(given)
    _known_choices(found)
    return found


def day_named(text: str, option: str) -> date:
    """A day that has to be given; raises InputError ``E-DATE`` naming the option."""
    found = day_given(text, option)
    if found is None:
        raise InputError("E-DATE", "没有写明日期", where=option, remedy="请写成 2025-06-30")
    return found


def show(name: str, content: Any, lines: list[str], as_json: bool) -> None:
    """Prints the lines, or one document ``xlcalc.ledger-<name>/1``."""
    if as_json:
        document = {"format": f"xlcalc.ledger-{name}/1", **content}
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=_plain) + "\n")
    else:
        print("\n".join(lines))


def shown_of(total: int, shown: int, page: int) -> list[str]:
    """A line that says which part of a list is shown; none where it is all of it."""
    if shown == total:
        return []
    return [f"共 {total:,} 项，这是第 {page} 页的 {shown:,} 项；--page {page + 1} 看下一页"]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else str(value)


def label_of(policy: str) -> str:
    """The name of a programme."""
    from workbooks.ledger.programmes import label_of as label

    return label(policy)
