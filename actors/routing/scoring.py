"""Choosing a venue: a pure, deterministic score of every candidate, and a line that explains each.

The score is an expected cost in basis points of the best price after fees; the lowest wins, the name decides a tie:

    price     how much worse than the best candidate's price after fees
    depth     share of the order that the best level does not hold, times `shortage_bps`
    latency   milliseconds from the order to the venue's answer, times `millisecond_bps`
    failures  share of orders that were refused or lost there, times `failure_bps`
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from actors.model.order import OrderSpec, OrderType, Side


class Weights(msgspec.Struct, frozen=True):
    shortage_bps: float = 5.0
    millisecond_bps: float = 0.01
    failure_bps: float = 20.0


class Candidate(msgspec.Struct, frozen=True):
    """One venue as the router sees it at the moment of the decision."""

    venue: str
    up: bool = True
    lists: bool = True
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_quantity: Decimal = Decimal(0)
    ask_quantity: Decimal = Decimal(0)
    maker_fee: Decimal = Decimal(0)
    taker_fee: Decimal = Decimal(0)
    ack_ms: float = 0.0
    """Moving average; 0 while nothing was measured."""
    success: float = 1.0
    """Moving average of orders that the venue took."""


class Decision(msgspec.Struct, frozen=True):
    venue: str | None
    refusal: str
    """Why there is none: upper-case code, a colon, then words."""
    reasons: list[str]
    """One line per candidate."""


def decide(order: OrderSpec, candidates: Sequence[Candidate], weights: Weights) -> Decision:
    """Candidates excluded by `order.venue` are the caller's to leave out or not; both are explained."""
    lines: dict[str, str] = {}
    prices: dict[str, tuple[Candidate, Decimal]] = {}
    for candidate in candidates:
        excluded = _excluded(order, candidate)
        price = None if excluded else price_after_fees(order, candidate)
        if excluded is not None:
            lines[candidate.venue] = f"{candidate.venue}: excluded, {excluded}"
        elif price is None and order.venue != candidate.venue:
            lines[candidate.venue] = f"{candidate.venue}: excluded, no quote"
        elif price is None or order.venue:
            lines[candidate.venue] = f"{candidate.venue}: chosen, the order names it"
            return Decision(candidate.venue, "", _explain(order, candidates, lines))
        else:
            prices[candidate.venue] = (candidate, price)
    if not prices:
        return Decision(None, _refusal(order, candidates), list(lines.values()))
    buys = order.side is Side.BUY
    best = min(price for _, price in prices.values()) if buys else max(price for _, price in prices.values())
    scores: dict[str, float] = {}
    for venue, (candidate, price) in prices.items():
        worse_bps = float(abs(price - best) / best) * 10_000 if best else 0.0
        shortage = _shortage(order, candidate) * weights.shortage_bps
        latency = candidate.ack_ms * weights.millisecond_bps
        failures = (1.0 - candidate.success) * weights.failure_bps
        scores[venue] = worse_bps + shortage + latency + failures
        lines[venue] = (
            f"{venue}: {scores[venue]:.3f} bps = price {worse_bps:.3f} ({price} after fees) + depth {shortage:.3f}"
            f" + latency {latency:.3f} ({candidate.ack_ms:.1f} ms) + failures {failures:.3f}"
        )
    chosen = min(scores, key=lambda venue: (scores[venue], venue))
    lines[chosen] += ", chosen"
    return Decision(chosen, "", [lines[candidate.venue] for candidate in candidates])


def price_after_fees(order: OrderSpec, candidate: Candidate) -> Decimal | None:
    """What a base unit costs (buying) or brings (selling); None without a quote."""
    if candidate.bid is None or candidate.ask is None:
        return None
    buys = order.side is Side.BUY
    touch = candidate.ask if buys else candidate.bid
    price, fee = touch, candidate.taker_fee
    if order.type is OrderType.LIMIT and order.price is not None:
        limit = Decimal(order.price)
        if (limit < touch) if buys else (limit > touch):
            price, fee = limit, candidate.maker_fee
    return price * (1 + fee) if buys else price * (1 - fee)


def _shortage(order: OrderSpec, candidate: Candidate) -> float:
    there = candidate.ask_quantity if order.side is Side.BUY else candidate.bid_quantity
    return max(0.0, 1.0 - float(there / Decimal(order.quantity)))


def _excluded(order: OrderSpec, candidate: Candidate) -> str | None:
    if order.venue and order.venue != candidate.venue:
        return f"the order names {order.venue}"
    if not candidate.lists:
        return f"{order.symbol} is not traded there"
    if not candidate.up:
        return "down"
    return None


def _explain(order: OrderSpec, candidates: Sequence[Candidate], lines: dict[str, str]) -> list[str]:
    for candidate in candidates:
        lines.setdefault(candidate.venue, f"{candidate.venue}: excluded, {_excluded(order, candidate)}")
    return [lines[candidate.venue] for candidate in candidates]


def _refusal(order: OrderSpec, candidates: Sequence[Candidate]) -> str:
    named = [candidate for candidate in candidates if order.venue in ("", candidate.venue)]
    listing = [candidate for candidate in named if candidate.lists]
    if not listing:
        return f"UNKNOWN_INSTRUMENT: no venue for {order.symbol}"
    if not any(candidate.up for candidate in listing):
        return f"VENUE_DOWN: {', '.join(candidate.venue for candidate in listing)}"
    return f"NO_PRICE: no quote of {order.symbol}"
