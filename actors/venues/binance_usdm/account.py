"""The parts of the protocol that only an account has."""

from collections.abc import Mapping

from actors.settings import VenueSettings
from actors.venues.binance_api.clock import VenueClock
from actors.venues.binance_api.limits import RateLimits
from actors.venues.binance_api.link_watch import Health, LinkWatch
from actors.venues.binance_api.signing import Signer
from actors.venues.binance_usdm.account_settings import AccountSettings
from actors.venues.binance_usdm.batches import Batches
from actors.venues.binance_usdm.listen_key import LINK as ACCOUNT
from actors.venues.binance_usdm.listen_key import ListenKeyStream
from actors.venues.binance_usdm.market_data import PROBE
from actors.venues.binance_usdm.rest_fallback import OpenOrders
from actors.venues.binance_usdm.trading import Trading
from actors.venues.binance_usdm.upkeep import Upkeep
from actors.venues.binance_usdm.user_stream import UserStream
from actors.venues.contract import Output, SendFrame
from runtime.clock import NS_PER_S


class Account:
    def __init__(
        self, venue: str, settings: VenueSettings, signer: Signer, clock: VenueClock, limits: RateLimits
    ) -> None:
        self.trading = Trading(
            venue,
            settings.trade_url,
            settings.rest_url,
            settings.symbols,
            signer,
            clock,
            limits,
            recv_window_ms=settings.recv_window_ms,
            timeout_ns=int(settings.order_timeout_s * NS_PER_S),
        )
        self.batches = Batches(venue, self.trading, clock, limits)
        self.listen_key = ListenKeyStream(settings.rest_url, settings.stream_url, signer.key)
        self.stream = UserStream(self.trading.executions, self.listen_key)
        self.settings = AccountSettings(settings.contracts, settings.symbols)
        self.upkeep = Upkeep(self.settings, self.trading, clock, limits)
        after_ns = int((settings.fallback_after_s or 0) * NS_PER_S)
        self.open_orders = OpenOrders(
            venue,
            settings.symbols,
            self.trading,
            clock,
            limits,
            after_ns=after_ns,
            poll_ns=int(settings.fallback_poll_s * NS_PER_S),
        )
        self.order_watch = LinkWatch(after_ns)
        self.stream_watch = LinkWatch(after_ns, answers=False)

    def has(self, link: str) -> bool:
        return link.startswith(ACCOUNT) or self.trading.links.has(link)

    def watch(self, heard: Mapping[str, int], now: int) -> list[Output]:
        """Ask something over a link that has gone silent, and give up one that does not answer."""
        outputs: list[Output] = []
        orders = self.trading.links
        match self.order_watch.look(heard.get(orders.name, 0), now):
            case Health.QUIET:
                outputs += orders.probe()
            case Health.FROZEN:
                self.order_watch.on_frozen(now)
                outputs += orders.open()
            case _:
                """Whether orders may go over it, it says itself."""
        match self.stream_watch.look(heard.get(self.listen_key.name, 0), now):
            case Health.QUIET:
                outputs.append(SendFrame(self.listen_key.name, PROBE))
            case Health.FROZEN:
                self.stream_watch.on_frozen(now)
                outputs += self.listen_key.reopen()
            case _:
                pass
        return outputs

    @property
    def link_problem(self) -> str:
        """Which link is down; "" if both are up."""
        if not self.trading.is_up:
            return f"ORDERS: {self.trading.links.problem or self.order_watch.reason}"
        if not self.stream.is_heard:
            return f"ACCOUNT: {self.listen_key.problem or self.stream.problem}"
        return ""
