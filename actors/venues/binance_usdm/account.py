"""The parts of the protocol that only an account has."""

from actors.settings import VenueSettings
from actors.venues.binance_api.clock import VenueClock
from actors.venues.binance_api.limits import RateLimits
from actors.venues.binance_api.signing import Signer
from actors.venues.binance_usdm.account_settings import AccountSettings
from actors.venues.binance_usdm.listen_key import ListenKeyStream
from actors.venues.binance_usdm.trading import Trading
from actors.venues.binance_usdm.user_stream import UserStream
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
        self.listen_key = ListenKeyStream(settings.rest_url, settings.stream_url, signer.key)
        self.stream = UserStream(self.trading.executions, self.listen_key)
        self.settings = AccountSettings(settings.contracts, settings.symbols)
        self.is_setting = False
        """A request for a setting is under way."""
        self.setting_problem = "SETTINGS: not in force yet"
