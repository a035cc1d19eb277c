"""One line for each role: what an actor of this name is made from. Imports only what the one asked for needs."""

import contextlib
from pathlib import Path

from actors import names
from actors.settings import Configuration
from actors.sharing import sharing_of
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

            is_elsewhere = names.ORDER_MANAGER in configuration.placement  # then its follower is here
            followed = copy_of(journal) if is_elsewhere else journal
            return Store(followed, database_of(configuration, followed))
        case names.JOURNAL_FOLLOWER:
            from runtime.replication.follower import JournalFollower

            return JournalFollower(copy_of(journal), str(started), journal)
        case names.LIMITER:
            from actors.limiter import Limiter

            return Limiter()
        case names.GATEWAY:
            from actors.gateway.actor import Gateway

            return Gateway(configuration, started)
        case _:
            raise Bug(f"no actor is called {name}")


def copy_of(journal: Path) -> Path:
    """Where the follower of a journal keeps its copy, on its own machine."""
    return journal.with_name(f"{journal.name}-copy")


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
    return Connector(
        venue,
        make_protocol(venue, settings, shard, standby),
        stale_after_ns=round(settings.stale_after_s * NS_PER_S),
        shard=shard,
        standby=standby,
        moving=settings.leaving,
        sharing=sharing_of(f"{kind}.{which}", names.of_desk(configuration), configuration),
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
