"""When to start a child again: data, and one pure function of it."""

from collections.abc import Sequence
from random import Random

import msgspec

from runtime.backoff import Backoff
from runtime.clock import NS_PER_MS, NS_PER_S


class RestartPolicy(msgspec.Struct, frozen=True, array_like=True):
    """At most `intensity` restarts within `period_ns`; then the circuit opens and is probed again after `park_ns`."""

    backoff_min_ns: int = 100 * NS_PER_MS
    backoff_max_ns: int = 10 * NS_PER_S
    intensity: int = 5
    period_ns: int = 60 * NS_PER_S
    park_ns: int = 60 * NS_PER_S


class Restart(msgspec.Struct, frozen=True):
    after_ns: int


class Park(msgspec.Struct, frozen=True):
    """The circuit is open: not now, one probe when the time has passed."""

    after_ns: int


def decide(policy: RestartPolicy, ends: Sequence[int], now: int, random: Random) -> Restart | Park:
    """What to do about a child that just ended; `ends` are the times of its earlier ends, oldest first.

    The delay grows with the ends within the period (full jitter), so a child that lived long starts anew at once.
    """
    recent = sum(1 for end in ends if now - end < policy.period_ns)
    if recent >= policy.intensity:
        return Park(policy.park_ns)
    return Restart(Backoff(policy.backoff_min_ns, policy.backoff_max_ns).delay(recent, random))
