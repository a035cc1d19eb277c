"""Binance USD-M futures."""

from actors.venues.binance_usdm.usdm import BinanceUsdm

__all__ = ["BinanceUsdm"]
