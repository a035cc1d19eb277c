"""What every answer over HTTP says about how much more may be asked."""

from actors.venues.binance_api.errors import Action, ErrorTable
from actors.venues.binance_api.limits import Priority, RateLimits
from actors.venues.contract import Output
from runtime.actor import HttpAnswered, HttpRequest
from runtime.clock import NS_PER_S

COUNT = "count"
"""Id of a request that is made for its headers alone."""
BAN_NS = 120 * NS_PER_S
"""The shortest ban, for an answer that does not say for how long."""


def heed(answer: HttpAnswered, errors: ErrorTable, limits: RateLimits, now: int) -> None:
    limits.learn_headers(answer.headers, now)
    seconds = answer.headers.get("retry-after", "")
    until = now + (int(seconds) * NS_PER_S if seconds.isdecimal() else BAN_NS)
    match errors.action(answer.status, 0):
        case Action.BAN:
            limits.ban(until)
        case Action.BACK_OFF:
            limits.back_off(until)
        case _:
            pass


def ask_count(url: str, limits: RateLimits, now: int) -> list[Output]:
    """`url` answers nothing that matters; its answer says how much is used."""
    return [] if limits.spend(1, Priority.CANCEL, now) else [HttpRequest(COUNT, "GET", url)]
