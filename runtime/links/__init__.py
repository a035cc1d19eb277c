"""Links to the outside: the one place that opens WebSockets and makes HTTP requests."""

from runtime.links.contract import Io, Link, LinkEvents
from runtime.links.network import NetworkIo

__all__ = ["Io", "Link", "LinkEvents", "NetworkIo"]
