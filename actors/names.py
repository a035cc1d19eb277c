"""What the actors of a desk are called: in the routing table, in `colocate`, in every view."""

from collections.abc import Iterable

from actors.settings import Configuration, VenueSettings
from actors.sharing import is_shared

ORDER_MANAGER = "order_manager"
RISK_CHECKER = "risk_checker"
ROUTER = "router"
PORTFOLIO = "portfolio"
LATENCY_MONITOR = "latency_monitor"
STORE = "store"
JOURNAL_FOLLOWER = "journal_follower"
GATEWAY = "gateway"
LIMITER = "limiter"
"""Only where several connectors share an address or an account."""


def connector(venue: str, shard: int = 0) -> str:
    """Shard 0 is the one that carries orders."""
    return f"connector.{venue}.{shard}" if shard else f"connector.{venue}"


def standby(venue: str, shard: int = 0) -> str:
    """Publishes what the connector of this shard does."""
    return f"standby.{venue}.{shard}" if shard else f"standby.{venue}"


def connectors(venue: str, settings: VenueSettings) -> list[str]:
    shards = range(settings.connectors)
    standbys = [standby(venue, shard) for shard in shards] if settings.standby else []
    return [*(connector(venue, shard) for shard in shards), *standbys]


def primary_of(actor: str) -> str:
    """The connector that a standby is beside; "" for all others."""
    kind, _, which = actor.partition(".")
    return f"connector.{which}" if kind == "standby" else ""


def shards_among(connectors: Iterable[str]) -> set[str]:
    """One name for each: a standby counts as the connector that it is beside."""
    return {primary_of(actor) or actor for actor in connectors}


def strategy(name: str) -> str:
    return f"strategy.{name}"


def of_desk(configuration: Configuration) -> list[str]:
    """Every actor that this configuration starts, in the order of starting."""
    actors = [
        *(name for venue, settings in configuration.venues.items() for name in connectors(venue, settings)),
        LATENCY_MONITOR,
        ORDER_MANAGER,
        RISK_CHECKER,
        ROUTER,
        PORTFOLIO,
        *([JOURNAL_FOLLOWER] if configuration.journal.durability == "machine" else []),
        STORE,
        GATEWAY,
        *(strategy(name) for name in configuration.strategies),
    ]
    return [LIMITER, *actors] if is_shared(actors, configuration) else actors


def stop_phase(name: str) -> int:
    """Lower ones are stopped first: who orders, then who carries out, then who only looks on."""
    if name.startswith("strategy.") or name == GATEWAY:
        return 0
    return 2 if name in (LATENCY_MONITOR, STORE, JOURNAL_FOLLOWER, LIMITER) else 1
