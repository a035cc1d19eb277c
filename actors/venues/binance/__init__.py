"""Binance Spot."""

from actors.venues.binance.spot import BinanceSpot

__all__ = ["BinanceSpot"]
