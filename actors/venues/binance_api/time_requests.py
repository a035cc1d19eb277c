"""The venue's time, asked by REST."""

import msgspec

from actors.venues.binance_api.clock import VenueClock
from actors.venues.binance_api.limits import Priority, RateLimits
from actors.venues.binance_api.payloads import ServerTime
from actors.venues.contract import BadFrame, Output
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest

WEIGHT = 1


class TimeRequests:
    def __init__(self, id: str, url: str, clock: VenueClock, limits: RateLimits) -> None:
        """`id` is that of its requests."""
        self._id = id
        self._url = url
        self._clock = clock
        self._limits = limits
        self._asked = 0
        self._decode = msgspec.json.Decoder(ServerTime).decode

    def ask(self, now: int) -> list[Output]:
        if self._limits.spend(WEIGHT, Priority.QUERY, now):
            return []
        self._asked = now
        return [HttpRequest(self._id, "GET", self._url)]

    def on_http(self, answer: HttpAnswered | HttpFailed) -> list[Output]:
        """The clock knows it then."""
        if isinstance(answer, HttpFailed) or answer.status != 200:
            return []
        try:
            server_time = self._decode(answer.body).server_time
        except (msgspec.MsgspecError, ValueError) as error:
            return [BadFrame(answer.id, answer.body, str(error), drop_link=False)]
        self._clock.learn(self._asked, answer.ts_recv, server_time)
        return []
