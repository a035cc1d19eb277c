"""Numbers as a person reads them in a narrow column."""

from decimal import Decimal, InvalidOperation

from actors.status import Quantiles


def count(value: float) -> str:
    """1,234"""
    return f"{value:,.0f}"


def amount(text: str, places: int = 8) -> str:
    """A decimal string without the zeros at its end, and no longer than so many places."""
    try:
        rounded = round(Decimal(text), places)
    except InvalidOperation:
        return text
    return format(rounded.normalize() or Decimal(0), "f")


def duration(microseconds: float) -> str:
    """`85 µs`, `1.2 ms`, `3.4 s`"""
    if microseconds >= 1_000_000:
        return f"{microseconds / 1_000_000:.1f} s"
    if microseconds >= 1_000:
        return f"{microseconds / 1_000:.1f} ms"
    return f"{microseconds:.0f} µs"


def p50_p99(values: Quantiles | None) -> str:
    if values is None or values.p99_us == 0:
        return "–"
    return f"{duration(values.p50_us)} / {duration(values.p99_us)}"


def elapsed(nanoseconds: int) -> str:
    """`0:12`, `1:02:03`"""
    minutes, seconds = divmod(nanoseconds // 1_000_000_000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
