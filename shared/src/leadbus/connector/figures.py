"""Numbers in the one form that the kit has for all CRMs; for adapters. Pure."""

from decimal import Decimal, InvalidOperation

_DIGITS = 6
_MOST = Decimal(10) ** 15
"""An amount with more digits than messages carry."""
_MOST_EXPONENT = 400
"""Beyond a double's. With 1E+999999999 somebody's server would fill our memory with zeros."""


def plain(number: str | float | Decimal) -> str | None:
    """A decimal without exponent and needless zeros; None for what is no number, or none that a CRM keeps."""
    try:
        figure = Decimal(str(number))
    except InvalidOperation:
        return None
    if not figure.is_finite() or abs(figure.adjusted()) > _MOST_EXPONENT:
        return None
    digits = f"{figure:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def amount(number: str | float | Decimal) -> str | None:
    """As messages carry it (`1234.5`); None for what is none, or too large for one."""
    shown = plain(number)
    figure = Decimal(shown) if shown is not None else _MOST
    return plain(round(figure, _DIGITS)) if abs(figure) < _MOST else None
