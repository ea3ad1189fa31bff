"""Exact, explained calculation of SME-digitalisation programmes: maturity levels, vouchers, subsidies.

>>> from xlcalc import evaluate
>>> outcome = evaluate("hohhot.transformation_subsidy", {"recognised_cost": "50万元", "maturity_level": 3})
>>> outcome.results["subsidy"].yuan
Decimal('250000.00')
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlcalc.errors import EngineError as EngineError
    from xlcalc.errors import InputError as InputError
    from xlcalc.errors import PackError as PackError
    from xlcalc.errors import PolicyError as PolicyError
    from xlcalc.errors import WorkbookError as WorkbookError
    from xlcalc.errors import WorkbookRefused as WorkbookRefused
    from xlcalc.errors import XlcalcError as XlcalcError
    from xlcalc.evaluation import evaluate as evaluate
    from xlcalc.evaluation import evaluate_many as evaluate_many
    from xlcalc.packs.registry import load_policy as load_policy
    from xlcalc.results.explain import explain as explain
    from xlcalc.values.levels import MaturityLevel as MaturityLevel
    from xlcalc.values.money import Money as Money

__version__ = "0.1.0"

_HOME = {
    "evaluate": "xlcalc.evaluation",
    "evaluate_many": "xlcalc.evaluation",
    "explain": "xlcalc.results.explain",
    "load_policy": "xlcalc.packs.registry",
    "MaturityLevel": "xlcalc.values.levels",
    "Money": "xlcalc.values.money",
    "XlcalcError": "xlcalc.errors",
    "InputError": "xlcalc.errors",
    "PolicyError": "xlcalc.errors",
    "PackError": "xlcalc.errors",
    "WorkbookError": "xlcalc.errors",
    "WorkbookRefused": "xlcalc.errors",
    "EngineError": "xlcalc.errors",
}

__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    """Public names load their module on first use, so that importing the package costs next to nothing."""
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
