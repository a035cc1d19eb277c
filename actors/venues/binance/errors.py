"""What an error of Binance means for the request that got it.

Source: github.com/binance/binance-spot-api-docs, errors.md; status codes in web-socket-api.md, "Status codes".
"""

from enum import Enum


class Meaning(Enum):
    REFUSED = "refused"
    """The request was certainly not carried out."""
    UNKNOWN = "unknown"
    """It may have been carried out: ask."""
    NOT_FOUND = "not found"
    CLOCK = "clock"
    """Refused because of our timestamp: learn the venue's time again."""
    RATE_LIMIT = "rate limit"
    """Refused, and nothing more may be sent for a while."""
    SUBSCRIBED = "subscribed"
    """Refused because it is already as wanted."""


CODES: dict[int, Meaning] = {
    -1000: Meaning.UNKNOWN,  # an unknown error occurred while processing the request
    -1001: Meaning.UNKNOWN,  # internal error, unable to process
    -1003: Meaning.RATE_LIMIT,  # too much request weight used, or banned
    -1006: Meaning.UNKNOWN,  # unexpected response from the message bus: execution status unknown
    -1007: Meaning.UNKNOWN,  # timeout waiting for the backend: execution status unknown
    -1008: Meaning.RATE_LIMIT,  # server overloaded with other requests
    -1015: Meaning.RATE_LIMIT,  # too many new orders
    -1021: Meaning.CLOCK,  # timestamp outside of recvWindow, or ahead of the server's time
    -1034: Meaning.RATE_LIMIT,  # too many connections
    -2013: Meaning.NOT_FOUND,  # order does not exist
    -2026: Meaning.NOT_FOUND,  # canceled or expired unfilled over 90 days ago and archived
    -2035: Meaning.SUBSCRIBED,  # user data stream subscription already active
}
"""Every other code means REFUSED."""

DUPLICATE = "Duplicate order sent."
"""−2010: an open order has this client order id. Ids are never reused here, so it is this order that is there."""

STATUSES: dict[int, Meaning] = {
    403: Meaning.RATE_LIMIT,  # blocked by the web application firewall
    418: Meaning.RATE_LIMIT,  # banned
    429: Meaning.RATE_LIMIT,
}


def meaning_of(status: int, code: int, message: str) -> Meaning:
    """A 5xx status means unknown whatever the code says."""
    if status >= 500 or message == DUPLICATE:
        return Meaning.UNKNOWN
    return STATUSES.get(status) or CODES.get(code, Meaning.REFUSED)
