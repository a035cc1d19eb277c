"""How the venue words the refusals that a fault orders.

Source: https://developers.binance.com/docs/binance-spot-api-docs/errors
"""

import contextlib
from collections.abc import Callable
from typing import TypeVar, assert_never

from actors.simulation.binance.refusal import Refusal
from actors.simulation.faults import Ban, LostAck, RateLimit, RefusalFault, Reject, RequestFault, ServerError, Timeout

_NS_PER_MS = 1_000_000
_Answer = TypeVar("_Answer")


class Unanswered(Exception):
    """The request was carried out, or not, and its answer is lost."""


def answer_under(fault: RequestFault | None, now: int, run: Callable[[], _Answer]) -> _Answer:
    """What `run` answers; under a fault a `Refusal` or `Unanswered`, after running it when the fault says so."""
    if fault is None:
        return run()
    if isinstance(fault, LostAck | ServerError | Timeout) and fault.carried_out:
        with contextlib.suppress(Refusal):
            run()
    if isinstance(fault, LostAck):
        raise Unanswered
    raise _refusal(fault, now)


def _refusal(fault: RefusalFault, now: int) -> Refusal:
    match fault:
        case Reject():
            return Refusal(fault.code, fault.message)
        case RateLimit():
            message = "Too much request weight used; please use WebSocket Streams for live updates to avoid polling."
            return _limited(message, 429, fault.retry_after_s)
        case Ban():
            until_ms = now // _NS_PER_MS + fault.retry_after_s * 1_000
            message = (
                f"Way too much request weight used; IP banned until {until_ms}. "
                "Please use WebSocket Streams for live updates to avoid bans."
            )
            return _limited(message, 418, fault.retry_after_s)
        case ServerError():
            message = "Internal error; unable to process your request. Please try again."
            return Refusal(-1001, message, status=fault.status)
        case Timeout():
            message = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
            return Refusal(-1007, message, status=504)
        case _:
            assert_never(fault)


def _limited(message: str, status: int, retry_after_s: int) -> Refusal:
    refusal = Refusal(-1003, message, status=status)
    refusal.retry_after_s = retry_after_s
    return refusal
