"""Strategies: subclass `Strategy`, name the class in the configuration as `module:Class`."""

from actors.messages import ListKind, OrderFilled, OrderUpdated, Quote, Trade
from actors.model.bars import Bar
from actors.model.order import Side, TimeInForce
from actors.model.order_state import OrderState
from actors.strategy.actor import StrategyActor
from actors.strategy.base import Strategy
from actors.strategy.desk import InstrumentBook
from actors.strategy.lists import Leg
from actors.strategy.loading import strategy_class

__all__ = [
    "Bar",
    "InstrumentBook",
    "Leg",
    "ListKind",
    "OrderFilled",
    "OrderState",
    "OrderUpdated",
    "Quote",
    "Side",
    "Strategy",
    "StrategyActor",
    "TimeInForce",
    "Trade",
    "strategy_class",
]
