"""What an error of Binance asks for. Codes that all of its interfaces share; each adds its own.

Source: github.com/binance/binance-spot-api-docs, errors.md; status codes in web-socket-api.md, "Status codes".
"""

from collections.abc import Mapping
from enum import Enum


class Action(Enum):
    REFUSE = "refuse"
    """Certainly not carried out, and it would be refused again: tell who asked."""
    RETRY = "retry"
    """Certainly not carried out, for a reason that a step of ours removes: log in or subscribe again."""
    BACK_OFF = "back off"
    """Certainly not carried out; nothing more may leave for a while."""
    BAN = "ban"
    """The same, for minutes to days: this address is locked out."""
    CLOCK = "clock"
    """Refused because of our timestamp: learn the venue's time again."""
    UNKNOWN = "unknown outcome"
    """It may have been carried out: ask the venue. A query is simply asked again."""
    NOT_FOUND = "not found"
    ALREADY = "already so"
    """Refused because it is already as wanted."""


COMMON: dict[int, Action] = {
    -1000: Action.UNKNOWN,  # an unknown error occurred while processing the request
    -1001: Action.UNKNOWN,  # internal error, unable to process
    -1002: Action.REFUSE,  # not authorized
    -1003: Action.BACK_OFF,  # too many requests
    -1006: Action.UNKNOWN,  # unexpected response from the message bus: execution status unknown
    -1007: Action.UNKNOWN,  # timeout waiting for the backend: execution status unknown
    -1008: Action.BACK_OFF,  # server overloaded with other requests
    -1013: Action.REFUSE,  # did not reach the matching engine: filters
    -1014: Action.REFUSE,  # unsupported order combination
    -1015: Action.BACK_OFF,  # too many new orders
    -1016: Action.REFUSE,  # service no longer available
    -1020: Action.REFUSE,  # unsupported operation
    -1021: Action.CLOCK,  # timestamp outside of recvWindow, or ahead of the server's time
    -1022: Action.REFUSE,  # signature not valid
    -1100: Action.REFUSE,  # illegal characters
    -1101: Action.REFUSE,  # too many parameters
    -1102: Action.REFUSE,  # mandatory parameter missing or malformed
    -1103: Action.REFUSE,  # unknown parameter
    -1104: Action.REFUSE,  # not all parameters were read
    -1105: Action.REFUSE,  # parameter empty
    -1106: Action.REFUSE,  # parameter not required
    -1108: Action.REFUSE,  # parameter overflowed
    -1111: Action.REFUSE,  # too much precision
    -1112: Action.REFUSE,  # no orders on the book
    -1114: Action.REFUSE,  # time in force not required
    -1115: Action.REFUSE,  # invalid time in force
    -1116: Action.REFUSE,  # invalid order type
    -1117: Action.REFUSE,  # invalid side
    -1118: Action.REFUSE,  # new client order id empty
    -1119: Action.REFUSE,  # original client order id empty
    -1120: Action.REFUSE,  # invalid interval
    -1121: Action.REFUSE,  # invalid symbol
    -1125: Action.RETRY,  # listen key does not exist: make a new one
    -1127: Action.REFUSE,  # lookup interval too big
    -1128: Action.REFUSE,  # combination of optional parameters invalid
    -1130: Action.REFUSE,  # invalid data for a parameter
    -2010: Action.REFUSE,  # new order rejected
    -2011: Action.REFUSE,  # cancel rejected
    -2013: Action.NOT_FOUND,  # order does not exist
    -2014: Action.REFUSE,  # API key format
    -2015: Action.REFUSE,  # API key, address or permissions
    -2026: Action.NOT_FOUND,  # canceled or expired unfilled over 90 days ago and archived
}

STATUSES: dict[int, Action] = {
    403: Action.BAN,  # blocked by the web application firewall
    418: Action.BAN,
    429: Action.BACK_OFF,
}

BANNED = "banned until"
"""In the words of a −1003."""
DUPLICATE = "Duplicate order sent."
"""−2010: an open order has this client order id. Ids are never reused here, so it is this order that is there."""


class ErrorTable:
    """One interface's codes. One that the venue has not documented means REFUSE."""

    def __init__(self, codes: Mapping[int, Action]) -> None:
        self._codes = dict(codes)

    def action(self, status: int, code: int, message: str = "") -> Action:
        """A 5xx status means unknown whatever the code says."""
        if status >= 500 or message == DUPLICATE:
            return Action.UNKNOWN
        if code == -1003 and BANNED in message:
            return Action.BAN
        return STATUSES.get(status) or self._codes.get(code, Action.REFUSE)
