"""One line for each role: what an actor of this name is made from. Imports only what the one asked for needs."""

import contextlib
from pathlib import Path

from actors import names
from actors.settings import Configuration
from runtime.actor import Actor
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.errors import Bug, ConfigError


def build_role(name: str, configuration: Configuration, journal: Path, started: int = 0) -> Actor:
    kind, _, which = name.partition(".")
    if which:
        return _strategy(which, configuration) if kind == "strategy" else _connector(kind, which, configuration)
    match name:
        case names.ORDER_MANAGER:
            from actors.orders.manager import OrderManager

            return OrderManager(configuration.venues, configuration.orders)
        case names.RISK_CHECKER:
            from actors.risk.checker import RiskChecker

            return RiskChecker(configuration.risk, configuration.venues)
        case names.ROUTER:
            from actors.routing.router import Router

            return Router(configuration.venues)
        case names.PORTFOLIO:
            from actors.portfolio import Portfolio

            return Portfolio(configuration.venues)
        case names.LATENCY_MONITOR:
            from actors.latency_monitor import LatencyMonitor

            return LatencyMonitor()
        case names.STORE:
            from actors.store import Store, database_of

            return Store(journal, database_of(configuration, journal))
        case names.GATEWAY:
            from actors.gateway.actor import Gateway

            return Gateway(configuration, started)
        case _:
            raise Bug(f"no actor is called {name}")


def import_role(name: str, configuration: Configuration) -> None:
    """Import what `build_role` needs for it. A strategy is not built: its class may do anything in its constructor."""
    kind, _, which = name.partition(".")
    if kind == "strategy":
        import actors.strategy.actor  # noqa: F401
        from actors.strategy.loading import strategy_class

        with contextlib.suppress(ConfigError):
            strategy_class(configuration.strategies[which].class_)
    elif name != names.STORE:
        build_role(name, configuration, Path())


def _connector(kind: str, which: str, configuration: Configuration) -> Actor:
    from actors.connector.actor import Connector
    from actors.venues.registry import make_protocol

    venue, _, number = which.partition(".")
    settings, shard, standby = configuration.venues[venue], int(number or 0), kind == "standby"
    protocol = make_protocol(venue, settings, shard, standby)
    stale_after_ns = round(settings.stale_after_s * NS_PER_S)
    return Connector(
        venue, protocol, stale_after_ns=stale_after_ns, shard=shard, standby=standby, moving=settings.leaving
    )


def _strategy(name: str, configuration: Configuration) -> Actor:
    from actors.strategy.actor import StrategyActor
    from actors.strategy.loading import strategy_class

    settings = configuration.strategies[name]
    return StrategyActor(
        name,
        strategy_class(settings.class_)(),
        settings.instruments,
        settings.parameters,
        round(configuration.orders.rehearse_every_ms * NS_PER_MS),
        configuration.venues,
    )
