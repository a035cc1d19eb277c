"""The portfolio: what the desk holds, what it has earned, and what it would earn at the last prices.

Positions are the sum of the fills that the order manager recorded, nothing else; its snapshot is where a new life
begins. Profit is in the quote asset of the instrument; fees in that asset are deducted, fees in others are shown.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from actors import names
from actors.feeds import MarketFeeds
from actors.messages import (
    AccountReported,
    Balance,
    DeskSnapshot,
    FeedsMoved,
    FillRecorded,
    InstrumentsListed,
    PositionChanged,
    Quote,
    VenuesChanged,
)
from actors.model.instrument import Instrument
from actors.model.position import ZERO, Position
from actors.settings import VenueSettings, read_venues, trading
from runtime.actor import Context, Report, Started, Subscribed


class Portfolio:
    def __init__(self, venues: Mapping[str, VenueSettings]) -> None:
        self._venues = trading(venues)
        self._feeds = MarketFeeds(venues)
        self._positions: dict[str, Position] = {}
        """By "<venue>.<SYMBOL>"."""
        self._prices: dict[str, Quote] = {}
        self._instruments: dict[str, Instrument] = {}
        self._balances: dict[str, dict[str, Balance]] = {}
        self._ready = False
        self._counters: Counter[str] = Counter()

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Quote():
                self._prices[f"{message.venue}.{message.symbol}"] = message
            case FillRecorded():
                self._fill(message, ctx)
            case DeskSnapshot():
                self._begin(message, ctx)
            case AccountReported():
                changed = {balance.asset: balance for balance in message.balances}
                known = {} if message.complete else self._balances.get(message.venue, {})
                self._balances[message.venue] = known | changed
            case InstrumentsListed():
                self._instruments |= {f"{one.venue}.{one.symbol}": one for one in message.instruments}
            case Subscribed():
                for key, position in self._positions.items():
                    self._publish(key, position, position.quantity, ctx)
            case Started():
                ctx.subscribe(names.ORDER_MANAGER, "fills.*")
                self._follow(self._venues, ctx)
            case FeedsMoved():
                self._feeds.on_moved(message, ctx)
            case VenuesChanged():
                venues = read_venues(message.venues)
                before, self._venues = self._venues, trading(venues)
                self._feeds.on_venues(venues)
                self._follow(self._venues.keys() - before.keys(), ctx)
            case _:
                pass

    def _follow(self, venues: Iterable[str], ctx: Context) -> None:
        for name in venues:
            self._feeds.read_venue(name, self._venues[name].symbols, ctx)

    def report(self) -> Report:
        return Report(
            counters=dict(self._counters),
            state={
                "ready": self._ready,
                "positions": {key: self._plain(key, position) for key, position in self._positions.items()},
                "totals": self._totals(),
                "net_asset_value": self._net_asset_value(),
            },
        )

    def _begin(self, snapshot: DeskSnapshot, ctx: Context) -> None:
        before = self._positions
        self._positions = {holding.key: holding.position() for holding in snapshot.holdings}
        self._ready = True
        for key, position in self._positions.items():
            previous = before.get(key, Position()).quantity
            if position.quantity != previous:
                self._publish(key, position, previous, ctx)

    def _fill(self, event: FillRecorded, ctx: Context) -> None:
        fill = event.fill
        key = f"{fill.venue}.{fill.symbol}"
        position = self._positions.setdefault(key, Position())
        previous = position.quantity
        position.add_fill(
            fill.side, Decimal(fill.quantity), Decimal(fill.price), Decimal(fill.fee or 0), fill.fee_asset
        )
        self._counters["fills"] += 1
        self._publish(key, position, previous, ctx)

    def _publish(self, key: str, position: Position, previous: Decimal, ctx: Context) -> None:
        venue, _, symbol = key.partition(".")
        average = position.average_price
        ctx.publish(
            f"positions.{key}",
            PositionChanged(
                venue,
                symbol,
                format(position.quantity, "f"),
                format(previous, "f"),
                None if average is None else format(average, "f"),
                format(self._realized(key, position), "f"),
                ctx.now(),
            ),
        )

    def _quote_asset(self, key: str) -> str:
        instrument = self._instruments.get(key)
        return "" if instrument is None else instrument.quote

    def _realized(self, key: str, position: Position) -> Decimal:
        return position.realized_pnl - position.fees.get(self._quote_asset(key), ZERO)

    def _price(self, key: str) -> Decimal | None:
        """Middle of the last quote."""
        quote = self._prices.get(key)
        return None if quote is None else (Decimal(quote.bid) + Decimal(quote.ask)) / 2

    def _unrealized(self, key: str, position: Position) -> Decimal | None:
        """None for an open position without a price."""
        price = self._price(key)
        if price is None:
            return ZERO if position.quantity == 0 else None
        return position.unrealized_pnl(price)

    def _plain(self, key: str, position: Position) -> dict[str, Any]:
        price, unrealized = self._price(key), self._unrealized(key, position)
        return {
            "quantity": format(position.quantity, "f"),
            "average_price": None if position.average_price is None else format(position.average_price, "f"),
            "price": None if price is None else format(price, "f"),
            "realized_pnl": format(self._realized(key, position), "f"),
            "unrealized_pnl": None if unrealized is None else format(unrealized, "f"),
            "fees": {asset: format(fee, "f") for asset, fee in position.fees.items()},
        }

    def _totals(self) -> dict[str, dict[str, str]]:
        """By quote asset; an open position without a price counts with its realised profit only."""
        sums: dict[str, list[Decimal]] = {}
        for key, position in self._positions.items():
            of_asset = sums.setdefault(self._quote_asset(key), [ZERO, ZERO])
            of_asset[0] += self._realized(key, position)
            of_asset[1] += self._unrealized(key, position) or ZERO
        return {
            asset: {"realized_pnl": format(realized, "f"), "unrealized_pnl": format(unrealized, "f")}
            for asset, (realized, unrealized) in sums.items()
        }

    def _net_asset_value(self) -> dict[str, dict[str, Any]]:
        """By venue: each quote asset of its instruments with all balances that have a price in it.

        Assets that have none are named in `unpriced`.
        """
        values: dict[str, dict[str, Any]] = {}
        for venue, balances in self._balances.items():
            here = [instrument for instrument in self._instruments.values() if instrument.venue == venue]
            for quote in sorted({instrument.quote for instrument in here}):
                total, unpriced = ZERO, []
                for asset, balance in balances.items():
                    amount = Decimal(balance.free) + Decimal(balance.locked)
                    if amount == 0:
                        continue
                    price = Decimal(1) if asset == quote else self._price_of(here, asset, quote)
                    if price is None:
                        unpriced.append(asset)
                    else:
                        total += amount * price
                values.setdefault(venue, {})[quote] = {"value": format(total, "f"), "unpriced": unpriced}
        return values

    def _price_of(self, instruments: list[Instrument], asset: str, quote: str) -> Decimal | None:
        for instrument in instruments:
            if (instrument.base, instrument.quote) == (asset, quote):
                return self._price(f"{instrument.venue}.{instrument.symbol}")
        return None
