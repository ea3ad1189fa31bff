"""The module Excel on Windows loads through xlwings: one function per entry of the registry.

Off Windows the xlwings decorators leave the functions untouched, so importing and calling them works there
too. An error comes out as its code (``#VALUE!``); the workbook's VBA turns the code into the error value.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature

import xlwings as xw

from udfs.adapter import Result, call
from udfs.registry import UDFS
from udfs.signature import Udf

Function = Callable[..., Result | list[list[Result]]]


def _declare(udf: Udf) -> Function:
    def function(*args):  # type: ignore[no-untyped-def]  # xlwings reads annotations as conversions
        return call(udf.name, args)

    function.__name__ = function.__qualname__ = udf.name
    function.__doc__ = udf.help
    function.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Parameter(arg.name, Parameter.POSITIONAL_OR_KEYWORD, default=None if arg.optional else Parameter.empty)
            for arg in udf.args
        ]
    )
    declared: Function = function
    for arg in udf.args:
        # Always 2-D, so that a column of one cell is read like any other; errors would else arrive as empty.
        declared = xw.arg(arg.name, ndim=2, err_to_str=True, doc=f"{arg.title}：{arg.help}")(declared)
    # Last, as the topmost decorator would be: xw.arg sets the category back.
    return xw.func(category=udf.category)(declared)


globals().update({name: _declare(udf) for name, udf in UDFS.items()})
__all__ = list(UDFS)  # noqa: PLE0605 - one name per entry of the registry
