"""The functions of a macro workbook: one in VBA per entry of the registry, which only hands the call on.

The text is plain enough for LibreOffice, where the tests run it; ``XlcalcCall`` is in ``parts/xlcalc_bridge.bas``.
"""

from __future__ import annotations

from udfs.registry import UDFS
from udfs.signature import Udf

_HEAD = "Option Explicit\n\n' Generated: each function hands its arguments on to Python.\n"


def wrapper_module() -> str:
    """With it as the module ``xlwings_udfs``, the cells of a workbook may call every function of the registry.

    xlwings gives that name to the module it imports; an import then replaces this one instead of doubling it.
    An argument left out is handed on as left out. ASCII, CRLF, no ``Attribute`` lines.
    """
    return "\n".join([_HEAD, *map(_function, UDFS.values())]).replace("\n", "\r\n")


def _function(udf: Udf) -> str:
    declared = ", ".join(f"Optional {arg.name}" if arg.optional else arg.name for arg in udf.args)
    passed = ", ".join(arg.name for arg in udf.args)
    return (
        f"Public Function {udf.name}({declared})\n"
        f'    {udf.name} = XlcalcCall("{udf.name}", Array({passed}))\n'
        "End Function\n"
    )
