"""A captured session of USD-M futures played again; see the spot venue's replay for what a client sees."""

from decimal import Decimal

from actors.model.order import Side
from actors.simulation.binance.market import Market
from actors.simulation.binance.replay import (
    Replay,
    ReplayedMarket,
    captured_streams,
    depth_snapshots,
    exchange_info,
)
from actors.simulation.binance_usdm.contracts import ContractRules
from actors.simulation.binance_usdm.market import FuturesMarket
from actors.simulation.capture import Capture


class ReplayedFuturesMarket(ReplayedMarket, FuturesMarket):
    """What was not captured (mark price, liquidations of own accounts) is made from the replayed book."""

    def snapshot(self, limit: int) -> dict[str, object]:
        """Numbers as they were captured."""
        self.was_asked = True
        bids = sorted(self._captured_levels[Side.BUY].items(), reverse=True)[:limit]
        asks = sorted(self._captured_levels[Side.SELL].items())[:limit]
        return {
            "lastUpdateId": self.last_update_id,
            "E": self._ms,
            "T": self._ms,
            "bids": [(str(price), str(quantity)) for price, quantity in bids],
            "asks": [(str(price), str(quantity)) for price, quantity in asks],
        }

    def tick_fast(self, now: int) -> None:
        """The diffs are the captured ones."""
        self._fast.take()

    def _record_change(self, update_id: int, side: Side, price: Decimal, quantity: Decimal) -> None:
        Market._record_change(self, update_id, side, price, quantity)


class FuturesReplay(Replay):
    product = "Binance USD-M futures"

    def _read(self, capture: Capture, now: int) -> None:
        self.infos = exchange_info(capture)
        infos = {info["symbol"]: info for info in self.infos}
        captured = captured_streams(capture)
        self.contracts: dict[str, FuturesMarket] = {}
        for symbol, payload in depth_snapshots(capture).items():
            market = ReplayedFuturesMarket(ContractRules(infos[symbol]), self._hub, payload, captured, now)
            self.markets[symbol] = self._replayed[symbol] = self.contracts[symbol] = market
