"""The user data stream of Binance USD-M futures: a listen key, kept alive, and the link that it opens.

A key lives 60 minutes after it was made or kept alive; asking again gives the same key while it lives. The link is
replaced before the venue cuts it off after 24 hours: both are read for a while, each event counts once. Source:
https://developers.binance.com/docs/derivatives/usds-margined-futures/user-data-streams and …/websocket-market-streams/
Important-WebSocket-Change-Notice.
"""

import msgspec

from actors.venues.binance.trade_link import EventSeam
from actors.venues.binance_usdm.payloads import ListenKey
from actors.venues.contract import CloseLink, OpenLink, Output, WakeUp
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import NS_PER_S
from runtime.message import Lane

LINK = "account"
START = "listen-key"
KEEP_ALIVE = "listen-key-alive"
"""Ids of requests, and tags of the wake-ups for them."""
RENEW, HAND_OVER = "renew-account:", "hand-over-account:"
"""Tags of wake-ups; the name of a link follows."""
KEEP_ALIVE_NS = 30 * 60 * NS_PER_S
LIFE_NS = 23 * 3600 * NS_PER_S + 1800 * NS_PER_S
OVERLAP_NS = 2 * NS_PER_S
"""Both links are read for so long: longer than the old one may lag behind the new one."""
RETRY_NS = 5 * NS_PER_S

EVENTS = ("ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ALGO_UPDATE", "ACCOUNT_CONFIG_UPDATE", "MARGIN_CALL")
"""`TRADE_LITE` is left out: it tells a fill earlier but without its fee. `listenKeyExpired` comes anyway."""


class ListenKeyStream:
    """Its links are called `account`, `account.1`, `account.2`, …"""

    def __init__(self, rest_url: str, stream_url: str, key: str) -> None:
        self._url = f"{rest_url}/fapi/v1/listenKey"
        self._stream_url = stream_url
        self._headers = {"X-MBX-APIKEY": key}
        self._listen_key = ""
        self._link_url = ""
        self.name = LINK
        """Of the present link."""
        self._next = ""
        """"" while it is not being replaced."""
        self._next_is_up = False
        self._generation = 0
        self._up_since = 0
        self._seam = EventSeam()
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
        return [OpenLink(self.name, self._link_url, Lane.COMMANDS)]

    # ---- its links -----------------------------------------------------------------------------------------------

    def on_up(self, name: str, now: int) -> list[Output]:
        renew = WakeUp(LIFE_NS, RENEW + name)
        if name == self._next:
            self._next_is_up = True
            return [renew, WakeUp(OVERLAP_NS, HAND_OVER + name)]
        self._up_since = now
        return [renew]

    def on_down(self, name: str, now: int) -> list[Output] | None:
        """None if no event of the account is heard any longer."""
        if name == self._next:
            self._next_is_up = False
            return []
        return self._hand_over(now) if self._next_is_up else None

    def repeats(self, payload: bytes) -> bool:
        """The other link has told this event already."""
        return self._seam.repeats(payload)

    def _replace(self) -> list[Output]:
        self._generation += 1
        self._next = f"{LINK}.{self._generation}"
        self._seam.begin()
        return [OpenLink(self._next, self._link_url, Lane.COMMANDS)]

    def _hand_over(self, now: int) -> list[Output]:
        old, self.name, self._next = self.name, self._next, ""
        self._next_is_up, self._up_since = False, now
        self._seam.end()
        return [CloseLink(old)]

    # ---- its key -------------------------------------------------------------------------------------------------

    def expired(self) -> list[Output]:
        """The venue ended the stream."""
        self._listen_key = ""
        return self.ask()

    def on_wake_up(self, tag: str, now: int) -> list[Output] | None:
        """None for a tag that is not of here."""
        kind, colon, name = tag.partition(":")
        match kind + colon:
            case "renew-account:":
                is_due = name == self.name and not self._next and now - self._up_since >= LIFE_NS
                return self._replace() if is_due else []
            case "hand-over-account:":
                return self._hand_over(now) if name == self._next and self._next_is_up else []
            case "listen-key":
                return self.ask()
            case "listen-key-alive":
                return self._keep_alive()
            case _:
                return None

    def _keep_alive(self) -> list[Output]:
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
        return [OpenLink(self.name, url, Lane.COMMANDS), *self._set_timer()]

    def _set_timer(self) -> list[Output]:
        if self._timer_set:
            return []
        self._timer_set = True
        return [WakeUp(KEEP_ALIVE_NS, KEEP_ALIVE)]


def _words(answer: HttpAnswered | HttpFailed) -> str:
    if isinstance(answer, HttpFailed):
        return answer.reason
    return f"status {answer.status}: {answer.body[:200].decode('utf-8', 'replace')}"
