"""What the actors of a desk are called: in the routing table, in `colocate`, in every view."""

from actors.settings import Configuration
from actors.sharing import is_shared

ORDER_MANAGER = "order_manager"
RISK_CHECKER = "risk_checker"
ROUTER = "router"
PORTFOLIO = "portfolio"
LATENCY_MONITOR = "latency_monitor"
STORE = "store"
GATEWAY = "gateway"
LIMITER = "limiter"
"""Only where several connectors share an address or an account."""


def connector(venue: str) -> str:
    return f"connector.{venue}"


def strategy(name: str) -> str:
    return f"strategy.{name}"


def of_desk(configuration: Configuration) -> list[str]:
    """Every actor that this configuration starts, in the order of starting."""
    actors = [
        *(connector(venue) for venue in configuration.venues),
        LATENCY_MONITOR,
        ORDER_MANAGER,
        RISK_CHECKER,
        ROUTER,
        PORTFOLIO,
        STORE,
        GATEWAY,
        *(strategy(name) for name in configuration.strategies),
    ]
    return [LIMITER, *actors] if is_shared(actors, configuration) else actors


def stop_phase(name: str) -> int:
    """Lower ones are stopped first: who orders, then who carries out, then who only looks on."""
    if name.startswith("strategy.") or name == GATEWAY:
        return 0
    return 2 if name in (LATENCY_MONITOR, STORE, LIMITER) else 1
