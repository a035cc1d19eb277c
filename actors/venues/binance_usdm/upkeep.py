"""What an account of contracts needs besides its orders: settings in force, positions, the dead-man switch told."""

import msgspec

from actors.venues.binance_api.clock import VenueClock
from actors.venues.binance_api.errors import Action
from actors.venues.binance_api.limits import Priority, RateLimits
from actors.venues.binance_api.payloads import ErrorBody
from actors.venues.binance_usdm.account_settings import AccountSettings
from actors.venues.binance_usdm.errors import ERRORS
from actors.venues.binance_usdm.order_requests import Call
from actors.venues.binance_usdm.payloads import PositionRisk
from actors.venues.binance_usdm.trading import Trading
from actors.venues.contract import BadFrame, Output, WakeUp
from runtime.actor import HttpAnswered, HttpFailed
from runtime.clock import NS_PER_S

SETTING = "setting"
POSITIONS = "positions"
COUNTDOWN = "countdown"
RETRY_NS = 5 * NS_PER_S

_error = msgspec.json.Decoder(ErrorBody)
_positions = msgspec.json.Decoder(list[PositionRisk])


class Upkeep:
    def __init__(self, settings: AccountSettings, trading: Trading, clock: VenueClock, limits: RateLimits) -> None:
        self.settings = settings
        self._trading = trading
        self._clock = clock
        self._limits = limits
        self._asked: Call | None = None
        self._is_held = True
        self._renewed = 0
        self.problem = "SETTINGS: not in force yet"

    def apply(self, now: int) -> list[Output]:
        """The next setting; one at a time, because the venue takes them in no other order."""
        if self._asked is not None or not self._clock.is_known:
            return []
        call = self.settings.next()
        if call is None:
            return []
        self._asked = call
        return [self._trading.signed_request(SETTING, call, now)]

    def on_setting(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        asked, self._asked = self._asked, None
        if isinstance(answer, HttpAnswered) and (answer.status == 200 or _is_already(answer)):
            if self.settings.next() is asked:
                self.settings.taken()
            return self.apply(now)
        words = answer.reason if isinstance(answer, HttpFailed) else answer.body[:200].decode("utf-8", "replace")
        self.problem = f"SETTING_REFUSED: {words}"
        return [WakeUp(RETRY_NS, SETTING)]

    def ask_positions(self, now: int) -> list[Output]:
        if self._limits.spend(5, Priority.QUERY, now):
            return []
        call = Call("/fapi/v3/positionRisk", {}, 5, Priority.QUERY, verb="GET")
        return [self._trading.signed_request(POSITIONS, call, now)]

    def on_positions(self, answer: HttpAnswered | HttpFailed) -> list[Output]:
        if isinstance(answer, HttpFailed) or answer.status != 200:
            return []
        try:
            return [self._trading.executions.positions(_positions.decode(answer.body), answer.ts_recv)]
        except (msgspec.MsgspecError, ValueError) as error:
            return [BadFrame(answer.id, answer.body, str(error), drop_link=False)]

    def hold_switch(self, held: bool, now: int) -> list[Output]:
        """Not held it is told nothing any more, and the venue empties the book when its time is over."""
        self._is_held = held
        self._renewed = 0
        return [WakeUp(0, COUNTDOWN)] if held and self.settings.renew_ns else []

    def begin_countdowns(self, now: int) -> list[Output]:
        self._renewed = 0
        return self.renew_countdowns(now)

    def renew_countdowns(self, now: int) -> list[Output]:
        """Only while orders may go: otherwise the venue shall empty the book. What another timer has just renewed is
        left to that timer."""
        if not self.settings.renew_ns or now - self._renewed < self.settings.renew_ns // 2:
            return []
        if not self._is_held:
            return [WakeUp(self.settings.renew_ns, COUNTDOWN)]
        self._renewed = now
        requests: list[Output] = [
            self._trading.signed_request(COUNTDOWN, call, now)
            for call in self.settings.countdowns()
            if not self._limits.spend(call.weight, call.priority, now)
        ]
        return [*requests, WakeUp(self.settings.renew_ns, COUNTDOWN)]


def _is_already(answer: HttpAnswered) -> bool:
    try:
        error = _error.decode(answer.body)
    except (msgspec.MsgspecError, ValueError):
        return False
    return ERRORS.action(answer.status, error.code, error.msg) is Action.ALREADY
