"""A price or quantity as a person writes it in code, made the plain decimal string that goes on the wire."""

from decimal import Decimal, InvalidOperation

Amount = Decimal | str | int


def wire_amount(what: str, value: Amount) -> str:
    """`Decimal("1E+3")` → `"1000"`; digits are kept as given.

    Raises TypeError for a float (0.1 is not one tenth in binary), ValueError for what is no positive finite number.
    """
    if isinstance(value, bool) or not isinstance(value, Decimal | str | int):
        raise TypeError(
            f'{what} must be Decimal, str or int, not {type(value).__name__}: write Decimal("0.1") or "0.1"'
        )
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{what} must be a decimal number, not {value!r}") from None
    if not number.is_finite() or number <= 0:
        raise ValueError(f"{what} must be a positive number, not {value}")
    return format(number, "f")
