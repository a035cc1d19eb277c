"""Where Binance USD-M futures keeps its past: as spot does, with other weights and less of it in one request.

Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api:
Kline-Candlestick-Data (weight 5 for 500 to 1000 rows) and Compressed-Aggregate-Trades-List (weight 20; by time, less
than an hour at once, and none of long ago).
"""

from actors.venues.binance.history import HistoryRule
from actors.venues.binance.streams import INTERVALS
from runtime.clock import NS_PER_S

RULE = HistoryRule(
    "/fapi/v1/klines", 5, "/fapi/v1/aggTrades", 20, frozenset(INTERVALS) - {"1s"}, trades_span_ns=3600 * NS_PER_S
)
