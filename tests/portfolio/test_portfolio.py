from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from actors.messages import (
    AccountReported,
    Balance,
    DeskSnapshot,
    FillRecorded,
    Holding,
    InstrumentsListed,
    OrderFilled,
    PositionChanged,
    Quote,
)
from actors.model.instrument import Instrument
from actors.model.order import Side
from actors.model.position import Position
from actors.portfolio import Portfolio
from actors.settings import Credentials, VenueSettings
from runtime.actor import Started, Subscribed
from tests.support.context import RecordingContext

NOW = 1_700_000_000_000_000_000
VENUE = VenueSettings(kind="binance", symbols=["BTCUSDT"], credentials=Credentials(key="demo", secret="demo"))
BTC = "binance.BTCUSDT"


def fill(side: Side, quantity: str, price: str, fee: str = "0", fee_asset: str = "USDT") -> FillRecorded:
    event = OrderFilled(
        "binance", "0" * 32, "v", "BTCUSDT", "t", side, price, quantity, fee, fee_asset, True, NOW, NOW
    )  # fmt: skip
    return FillRecorded("maker", event, NOW)


class PortfolioDesk:
    def __init__(self) -> None:
        self.ctx = RecordingContext("portfolio", time=NOW)
        self.portfolio = Portfolio({"binance": VENUE})
        self.receive(
            Started(),
            DeskSnapshot([], {}, False),
            InstrumentsListed("binance", [Instrument("binance", "BTCUSDT", "BTC", "USDT")]),
        )

    def receive(self, *messages: object) -> None:
        for message in messages:
            self.portfolio.receive(message, self.ctx)

    def positions(self) -> dict[str, dict[str, object]]:
        positions: dict[str, dict[str, object]] = self.portfolio.report().state["positions"]
        return positions


def test_it_follows_every_fill_and_the_quotes() -> None:
    desk = PortfolioDesk()
    assert desk.ctx.subscriptions == [
        ("order_manager", ("fills.*",)),
        ("connector.binance", ("venue.binance", "quote.binance.BTCUSDT")),
    ]


def test_a_position_is_opened_changed_and_closed() -> None:
    desk = PortfolioDesk()
    desk.receive(fill(Side.BUY, "1", "100"), fill(Side.BUY, "1", "110"), fill(Side.SELL, "2", "120", "0.5"))
    assert desk.ctx.published == [
        ("positions.binance.BTCUSDT", PositionChanged("binance", "BTCUSDT", "1", "0", "100", "0", NOW)),
        ("positions.binance.BTCUSDT", PositionChanged("binance", "BTCUSDT", "2", "1", "105", "0", NOW)),
        ("positions.binance.BTCUSDT", PositionChanged("binance", "BTCUSDT", "0", "2", None, "29.5", NOW)),
    ]


def test_an_open_position_is_valued_at_the_middle_of_the_last_quote() -> None:
    desk = PortfolioDesk()
    desk.receive(fill(Side.SELL, "2", "100", "0.001", "BTC"))
    assert desk.positions()[BTC]["unrealized_pnl"] is None
    desk.receive(Quote("binance", "BTCUSDT", "94", "1", "96", "1", NOW, NOW))
    assert desk.positions() == {
        BTC: {
            "quantity": "-2",
            "average_price": "100",
            "price": "95",
            "realized_pnl": "0",
            "unrealized_pnl": "10",
            "fees": {"BTC": "0.001"},
        }
    }
    assert desk.portfolio.report().state["totals"] == {"USDT": {"realized_pnl": "0", "unrealized_pnl": "10"}}


def test_a_fill_through_zero_realizes_the_old_side_and_opens_the_new_at_its_price() -> None:
    desk = PortfolioDesk()
    desk.receive(fill(Side.BUY, "1", "100"), fill(Side.SELL, "3", "110"))
    position = desk.positions()[BTC]
    assert (position["quantity"], position["average_price"], position["realized_pnl"]) == ("-2", "110", "10")


def test_a_new_life_continues_where_the_order_manager_is() -> None:
    desk = PortfolioDesk()
    holding = Holding("binance", "BTCUSDT", "3", "100", "7", {"USDT": "2"})
    desk.receive(DeskSnapshot([], {BTC: "3"}, False, (holding,)))
    position = desk.positions()[BTC]
    assert (position["quantity"], position["average_price"], position["realized_pnl"]) == ("3", "100", "5")
    assert desk.ctx.published[-1][1] == PositionChanged("binance", "BTCUSDT", "3", "0", "100", "5", NOW)


def test_who_subscribes_later_hears_of_every_position() -> None:
    desk = PortfolioDesk()
    desk.receive(fill(Side.BUY, "1", "100"))
    desk.ctx.published.clear()
    desk.receive(Subscribed("gateway", ["positions.*"]))
    assert desk.ctx.published == [
        ("positions.binance.BTCUSDT", PositionChanged("binance", "BTCUSDT", "1", "1", "100", "0", NOW))
    ]


def test_the_net_asset_value_is_all_balances_in_the_quote_asset() -> None:
    desk = PortfolioDesk()
    balances = [Balance("USDT", "1000", "50"), Balance("BTC", "1.5", "0.5"), Balance("BNB", "1", "0")]
    desk.receive(AccountReported("binance", balances, True, NOW))
    desk.receive(Quote("binance", "BTCUSDT", "99", "1", "101", "1", NOW, NOW))
    desk.receive(AccountReported("binance", [Balance("BTC", "2.5", "0.5")], False, NOW))
    assert desk.portfolio.report().state["net_asset_value"] == {
        "binance": {"USDT": {"value": "1350.0", "unpriced": ["BNB"]}}
    }


AMOUNTS = st.decimals("0.001", "100", places=3)


@given(st.lists(st.tuples(st.sampled_from(Side), AMOUNTS, AMOUNTS), min_size=1, max_size=20), AMOUNTS)
def test_profit_is_what_was_received_less_what_was_paid_plus_what_is_left(
    fills: list[tuple[Side, Decimal, Decimal]], price: Decimal
) -> None:
    position = Position()
    cash = held = Fraction(0)
    for side, quantity, at in fills:
        position.add_fill(side, quantity, at, Decimal(0), "")
        sign = 1 if side is Side.BUY else -1
        held += sign * Fraction(quantity)
        cash -= sign * Fraction(quantity) * Fraction(at)
    profit = position.realized_pnl + position.unrealized_pnl(price)
    assert Fraction(position.quantity) == held
    assert abs(Fraction(profit) - (cash + held * Fraction(price))) < Fraction(1, 10**15)
    assert (position.average_price is None) == (held == 0)
