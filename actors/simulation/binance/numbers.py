"""How the venue writes numbers and times: eight decimals, integer milliseconds."""

from decimal import Decimal

NS_PER_MS = 1_000_000


def fixed(value: Decimal) -> str:
    """`0.1` is "0.10000000"."""
    return f"{value:.8f}"


def to_ms(now: int) -> int:
    return now // NS_PER_MS
