"""What the ledger says when it cannot be used; here, so that who only reads what a programme is needs no database."""

from __future__ import annotations

from xlcalc.errors import XlcalcError


class LedgerError(XlcalcError):
    """The ledger cannot be used, or refuses what it was asked to book; nothing was booked."""
