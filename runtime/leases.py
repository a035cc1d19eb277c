"""A budget that several holders spend from at once: each spends its lease without asking, a pool lends in bulk.

A budget is so many tokens in each window of the clock, as a counterpart counts them. A quarter of it is divided among
the holders once and for all: that they may always spend, also when the pool is silent. The rest is lent for the window
that it is asked for in. So what all of them spend in a window never exceeds the limit, whoever dies, and whichever
message is lost. Clocks may differ, and messages to the counterpart take, up to a 64th of the window: so near to its
edges only the own share is spent.
"""

from collections.abc import Sequence

import msgspec

from runtime.pacing import SLOTS, TokenBucket

OWN = 0.25
"""Of the limit, for all holders together, without asking."""
LOOK_NS = 50_000_000
"""How far apart a holder looks whether it should ask."""
RETRY_NS = 1_000_000_000
"""Who has asked and got nothing asks no more often."""
FADING = 0.9
"""What was spent at a look counts so much less at the next: some ten looks are what is foreseen."""
IDLE = 0.5
"""Who foresees less returns what it holds."""
UNDER_WAY_NS = 1_000_000_000
"""What somebody sent before its life ended has been counted so long afterwards."""
SETTLE_NS = 60_000_000_000
"""Who has not been heard by a new pool for so long holds nothing any more that matters."""


class Lease(msgspec.Struct, frozen=True, array_like=True):
    """So many tokens more, until that window ends; for this lane and all before it."""

    window: int
    lane: int
    tokens: int
    serial: int
    """Later ones are greater."""


class Wish(msgspec.Struct, frozen=True, array_like=True):
    lane: int
    tokens: int
    least: int
    """Less is of no use: something waits for it. 0 for what is only foreseen."""


class Use(msgspec.Struct, frozen=True, array_like=True):
    """What one holder knows of its budget: the whole truth, so that a pool which begins anew needs nothing else."""

    limit: int
    window_ns: int
    window: int
    own: int
    spent: int
    """In this window, the own share included."""
    granted: int
    """Leased for this window, spent or not; what is returned is not in it."""
    counted: int
    """Of everybody, as the counterpart counted last in this window."""
    heard: int
    """Serial of the newest lease that has arrived."""
    wishes: tuple[Wish, ...] = ()


def lease_window(now: int, window_ns: int) -> int:
    """The window whose leases count now; -1 near an edge, where none does."""
    margin = window_ns // SLOTS
    into = now % window_ns
    return now // window_ns if margin <= into < window_ns - margin else -1


def next_turn(now: int, window_ns: int) -> int:
    """When the next leases can be spent."""
    margin = window_ns // SLOTS
    return ((now - margin) // window_ns + 1) * window_ns + margin


def own_share(limit: int, holders: int) -> int:
    return max(int(limit * OWN) // holders, 0)


class LeasedBucket:
    """The holder's side. It stands where a `TokenBucket` would: nobody who spends knows whether others do too.

    Cheap where it counts: to spend is arithmetic, and asking ahead is done by `look`, which is called now and then.
    """

    def __init__(self, limit: int, window_ns: int, shares: Sequence[float], holders: int) -> None:
        self._limit = limit
        self.window_ns = window_ns
        self.holders = holders
        self._shares = tuple(shares)
        lanes = len(self._shares)
        own_shares = [1 - lane / lanes for lane in range(lanes)]
        self._own = TokenBucket(own_share(limit, holders), window_ns, own_shares, aligned=True)
        self._own_shares = own_shares
        self._window = -1
        self._tokens = [0] * lanes
        """Leased and not spent, by lane."""
        self._granted = 0
        self._period = -1
        """The window of the clock, edges included, that `spent` and `counted` are of."""
        self._spent = 0
        self._counted = 0
        self._heard = 0
        self._recent = [0] * lanes
        self._foreseen = [0.0] * lanes
        self._waiting = [0] * lanes
        """By lane: the cost of what could not be spent."""
        self._asked = 0
        """Since when something waits; 0 if nothing does."""

    @property
    def limit(self) -> int:
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._limit = limit
        self._own.limit = own_share(limit, self.holders)

    @property
    def last_used(self) -> int:
        """Of everybody, as far as is known here."""
        return max(self._counted, self._spent)

    @property
    def is_waiting(self) -> bool:
        """Something could not be spent, and no lease has come since."""
        return self._asked > 0

    def waits_ns(self, now: int) -> int:
        """For so long already; 0 if nothing waits."""
        return now - self._asked if self._asked else 0

    def share_with(self, holders: int) -> None:
        self.holders = holders
        self.limit = self._limit

    def used(self, now: int) -> int:
        self._turn(now)
        return self.last_used

    def delay(self, cost: int, lane: int, now: int) -> int:
        """Nanoseconds until it is worth asking again; 0 if `cost` may be spent now."""
        self._turn(now)
        if self._counted and self._counted + cost > self._limit * self._shares[lane]:
            return max(next_turn(now, self.window_ns) - now, 1)
        rest = cost - sum(self._tokens[lane:])
        if rest <= 0 or (
            rest <= int(self._own.limit * self._own_shares[lane]) and self._own.delay(rest, lane, now) == 0
        ):
            return 0
        self._waits_for(cost, lane, now)
        if now - self._asked < RETRY_NS:
            return LOOK_NS
        return max(min(next_turn(now, self.window_ns) - now, RETRY_NS), 1)

    def take(self, cost: int, lane: int, now: int) -> int:
        delay = self.delay(cost, lane, now)
        if delay == 0:
            self.spend(cost, now, lane)
        return delay

    def spend(self, cost: int, now: int, lane: int = 0) -> None:
        """Take what cannot wait. What was leased for the last lanes goes first: the reserve of the others stays."""
        if cost <= 0:
            return
        self._turn(now)
        self._spent += cost
        self._recent[lane] += cost
        for index in range(len(self._tokens) - 1, lane - 1, -1):
            taken = min(self._tokens[index], cost)
            self._tokens[index] -= taken
            cost -= taken
        self._own.spend(cost, now)

    def learn(self, used: int, now: int) -> None:
        """What the counterpart has counted in its present window, of everybody."""
        self._turn(now)
        if self._window >= 0:
            self._counted = used

    def give_back(self, tokens: int, now: int) -> None:
        """Every holder hears that the counterpart counts so many no longer; it is left to what is counted next."""

    def put(self, lease: Lease, now: int) -> None:
        """A lease has arrived; one for another window is void."""
        self._turn(now)
        self._heard = max(self._heard, lease.serial)
        if lease.window == self._window and lease.window >= 0:
            self._tokens[lease.lane] += lease.tokens
            self._granted += lease.tokens
            self._waiting = [0] * len(self._waiting)
            self._asked = 0

    def look(self, now: int) -> Use:
        """What to tell the pool. What is not foreseen to be needed is returned by it."""
        self._turn(now)
        self._foreseen = [
            FADING * foreseen + recent for foreseen, recent in zip(self._foreseen, self._recent, strict=True)
        ]
        self._recent = [0] * len(self._recent)
        if sum(self._foreseen) < IDLE and not self._asked:
            self._return()
        wishes = tuple(self._wishes()) if self._window >= 0 else self._waits()
        return Use(
            self._limit,
            self.window_ns,
            self._period,
            self._own.limit,
            self._spent,
            self._granted,
            self._counted,
            self._heard,
            wishes,
        )

    def _wishes(self) -> list[Wish]:
        wishes = []
        for lane, foreseen in enumerate(self._foreseen):
            ahead, held, waits = int(2 * foreseen), sum(self._tokens[lane:]), self._waiting[lane]
            if waits or held < ahead:
                wishes.append(Wish(lane, max(2 * ahead - held, waits), waits))
        return wishes

    def _waits(self) -> tuple[Wish, ...]:
        return tuple(Wish(lane, least, least) for lane, least in enumerate(self._waiting) if least)

    def _waits_for(self, cost: int, lane: int, now: int) -> None:
        self._waiting[lane] = max(self._waiting[lane], cost)
        self._asked = self._asked or now

    def _turn(self, now: int) -> None:
        window = lease_window(now, self.window_ns)
        if window != self._window:
            self._window = window
            self._return()
        period = now // self.window_ns
        if period != self._period:
            self._period, self._spent, self._counted, self._granted = period, 0, 0, 0

    def _return(self) -> None:
        self._granted -= sum(self._tokens)
        self._tokens = [0] * len(self._tokens)


class _Holder:
    __slots__ = ("ended", "gone", "is_settled", "known", "unheard", "use", "wishes")

    def __init__(self, use: Use) -> None:
        self.use = use
        self.known = 0
        """How many holders there are as far as it knows."""
        self.unheard: list[Lease] = []
        """On their way to it."""
        self.wishes: dict[int, tuple[Wish, int]] = {}
        """By lane, and since when."""
        self.gone = -1
        """The window in which its life ended; -1 while it lives."""
        self.ended = 0
        self.is_settled = False
        """The counterpart has counted since then: what it has spent is known, and it spends no more."""


class Pool:
    """The lender's side of one budget."""

    def __init__(self, shares: Sequence[float], now: int, first_serial: int = 0) -> None:
        self._shares = tuple(shares)
        self._born = now
        self._serial = first_serial
        self._holders: dict[str, _Holder] = {}
        self.limit = 0
        self.window_ns = 1

    @property
    def holders(self) -> int:
        """Between how many the own shares are divided."""
        living = [holder for holder in self._holders.values() if holder.gone < 0]
        return max((holder.known for holder in living), default=0) if self._misses() else max(len(living), 1)

    def _misses(self) -> int:
        """How many there are that have not been heard of yet."""
        living = [holder for holder in self._holders.values() if holder.gone < 0]
        return max(max((holder.known for holder in living), default=0) - len(living), 0)

    def heard(self, name: str, use: Use, holders: int, now: int) -> None:
        """`holders` is how many there are as far as this one knows. Each life of a holder has a name of its own."""
        holder = self._holders.get(name)
        if holder is None:
            holder = self._holders[name] = _Holder(use)
        if use.window == holder.use.window and use.counted > holder.use.counted:
            self._settle(use.window, now)
        holder.use, holder.known = use, holders
        living = [other.use for other in self._holders.values() if other.gone < 0] or [use]
        self.limit, self.window_ns = min(other.limit for other in living), use.window_ns
        holder.unheard = [lease for lease in holder.unheard if lease.serial > use.heard]
        told = {wish.lane: wish for wish in use.wishes}
        kept = {
            lane: (wish, since)
            for lane, (wish, since) in holder.wishes.items()
            if lane in told or (wish.least and now - since < 2 * self.window_ns)
        }
        holder.wishes = kept | {lane: (wish, kept[lane][1] if lane in kept else now) for lane, wish in told.items()}

    def gone(self, name: str, now: int) -> None:
        """Its life is over: what it holds comes back when the counterpart has counted again, or the window ends."""
        holder = self._holders.get(name)
        if holder is not None and holder.gone < 0:
            holder.gone, holder.ended = now // self.window_ns, now
            holder.wishes.clear()

    def _settle(self, window: int, now: int) -> None:
        """There is a new count of this window: what the dead had spent is in it."""
        for holder in self._holders.values():
            if holder.gone == window and now - holder.ended > UNDER_WAY_NS:
                holder.is_settled = True

    def left(self, now: int) -> int:
        """What has neither been lent, nor counted for somebody who asks nobody."""
        return self._available(0, now // self.window_ns)

    def foreign(self, now: int) -> int:
        """What somebody who asks nobody has spent in this window."""
        return self._foreign(now // self.window_ns)

    def waiting(self) -> list[str]:
        """Who waits for tokens that there are not."""
        return [name for name, holder in self._holders.items() if any(w.least for w, _ in holder.wishes.values())]

    def serve(self, now: int) -> list[tuple[str, Lease]]:
        """New leases: first what something waits for, the first lanes and then the longest waiting first; then what is
        foreseen, in equal parts. What waits for more than there is lets nobody of its lane or a later one overtake."""
        window = lease_window(now, self.window_ns)
        self._forget(now // self.window_ns)
        if window < 0 or not self._may_lend(now):
            return []
        wishes = sorted(
            (lane, since, name, wish)
            for name, holder in self._holders.items()
            for lane, (wish, since) in holder.wishes.items()
        )
        served: list[tuple[str, Lease]] = []
        behind = False
        for lane, _, name, wish in wishes:
            if wish.least and not behind:
                behind = not self._lend(name, lane, wish.least, window, served)
        foreseen = [] if behind else [(lane, name, wish) for lane, _, name, wish in wishes if wish.tokens > wish.least]
        for place, (lane, name, wish) in enumerate(foreseen):
            part = max(self._available(lane, window), 0) // (len(foreseen) - place)
            self._lend(name, lane, min(wish.tokens - wish.least, part), window, served)
        return served

    def _lend(self, name: str, lane: int, tokens: int, window: int, served: list[tuple[str, Lease]]) -> bool:
        fits = tokens <= self._available(lane, window)
        lent = any(self._lent(holder, window) for holder in self._holders.values())
        ceiling = int(self.limit * (self._shares[lane] - OWN))
        if tokens <= 0 or not (fits or (tokens > ceiling and not lent and tokens <= self.limit)):
            return False
        self._serial += 1
        lease = Lease(window, lane, tokens, self._serial)
        holder = self._holders[name]
        holder.unheard.append(lease)
        holder.wishes.pop(lane, None)
        served.append((name, lease))
        return True

    def _available(self, lane: int, window: int) -> int:
        known = sum(self._committed(holder, window) for holder in self._holders.values())
        unknown = self._misses() * own_share(self.limit, self.holders)
        return int(self.limit * self._shares[lane]) - known - unknown - self._foreign(window)

    def _committed(self, holder: _Holder, window: int) -> int:
        spent = holder.use.spent if holder.use.window == window else 0
        if holder.is_settled:
            return spent
        return max(holder.use.own + self._lent(holder, window), spent)

    @staticmethod
    def _lent(holder: _Holder, window: int) -> int:
        granted = holder.use.granted if holder.use.window == window else 0
        return granted + sum(lease.tokens for lease in holder.unheard if lease.window == window)

    def _foreign(self, window: int) -> int:
        uses = [holder.use for holder in self._holders.values() if holder.use.window == window]
        return max(max((use.counted for use in uses), default=0) - sum(use.spent for use in uses), 0)

    def _forget(self, window: int) -> None:
        for name, holder in list(self._holders.items()):
            holder.unheard = [lease for lease in holder.unheard if lease.window >= window]
            if 0 <= holder.gone < window:
                del self._holders[name]

    def _may_lend(self, now: int) -> bool:
        """Not before everybody has told what was lent by an earlier life of this pool."""
        is_new = now // self.window_ns == self._born // self.window_ns and now - self._born < SETTLE_NS
        return self.limit > 0 and not (is_new and self._misses())
