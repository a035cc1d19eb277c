"""The user data stream of Binance USD-M futures: a listen key, kept alive, and the link that it opens.

A key lives 60 minutes after it was made or kept alive; asking again gives the same key while it lives. Source:
https://developers.binance.com/docs/derivatives/usds-margined-futures/user-data-streams and …/websocket-market-streams/
Important-WebSocket-Change-Notice.
"""

import msgspec

from actors.venues.binance_usdm.payloads import ListenKey
from actors.venues.contract import OpenLink, Output, WakeUp
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import NS_PER_S
from runtime.message import Lane

LINK = "account"
START = "listen-key"
KEEP_ALIVE = "listen-key-alive"
"""Ids of requests, and tags of the wake-ups for them."""
KEEP_ALIVE_NS = 30 * 60 * NS_PER_S
RETRY_NS = 5 * NS_PER_S

EVENTS = ("ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ALGO_UPDATE", "ACCOUNT_CONFIG_UPDATE", "MARGIN_CALL")
"""`TRADE_LITE` is left out: it tells a fill earlier but without its fee. `listenKeyExpired` comes anyway."""


class ListenKeyStream:
    def __init__(self, rest_url: str, stream_url: str, key: str) -> None:
        self._url = f"{rest_url}/fapi/v1/listenKey"
        self._stream_url = stream_url
        self._headers = {"X-MBX-APIKEY": key}
        self._listen_key = ""
        self._link_url = ""
        self._is_asking = False
        self._timer_set = False
        self.problem = "no listen key yet"

    def ask(self) -> list[Output]:
        """For a key: the first one, or the one that is valid now."""
        if self._is_asking:
            return []
        self._is_asking = True
        return [HttpRequest(START, "POST", self._url, self._headers)]

    def reopen(self) -> list[Output]:
        """Its link is dead."""
        return [OpenLink(LINK, self._link_url, Lane.COMMANDS)]

    def expired(self) -> list[Output]:
        """The venue ended the stream."""
        self._listen_key = ""
        return self.ask()

    def on_wake_up(self, tag: str) -> list[Output]:
        if tag == START:
            return self.ask()
        self._timer_set = False
        return [HttpRequest(KEEP_ALIVE, "PUT", self._url, self._headers), *self._set_timer()]

    def on_http(self, answer: HttpAnswered | HttpFailed) -> list[Output]:
        ok = isinstance(answer, HttpAnswered) and answer.status == 200
        if answer.id == KEEP_ALIVE:
            return [] if ok else self.expired()
        self._is_asking = False
        if isinstance(answer, HttpFailed) or not ok:
            self.problem = f"LISTEN_KEY: {_words(answer)}"
            return [WakeUp(RETRY_NS, START)]
        try:
            listen_key = msgspec.json.decode(answer.body, type=ListenKey).listen_key
        except (msgspec.MsgspecError, ValueError) as error:
            self.problem = f"LISTEN_KEY: {error}"
            return [WakeUp(RETRY_NS, START)]
        self.problem = ""
        if listen_key == self._listen_key:
            return []
        self._listen_key = listen_key
        self._link_url = url = f"{self._stream_url}/private/ws?listenKey={listen_key}&events={'/'.join(EVENTS)}"
        return [OpenLink(LINK, url, Lane.COMMANDS), *self._set_timer()]

    def _set_timer(self) -> list[Output]:
        if self._timer_set:
            return []
        self._timer_set = True
        return [WakeUp(KEEP_ALIVE_NS, KEEP_ALIVE)]


def _words(answer: HttpAnswered | HttpFailed) -> str:
    if isinstance(answer, HttpFailed):
        return answer.reason
    return f"status {answer.status}: {answer.body[:200].decode('utf-8', 'replace')}"
