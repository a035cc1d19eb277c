"""Frames on their way from a fake venue to its sessions, and the faults that happen to them there. Pure.

Without faults a frame leaves as it came, in order. A frozen session holds everything back until it thaws; a delayed
frame holds back what is behind it; a late one is overtaken. What is held leaves when `next_due` has come.
"""

from collections import deque
from random import Random

from actors.simulation.corruption import corrupted
from actors.simulation.fault_desk import FaultDesk
from actors.simulation.faults import (
    Closing,
    Corrupt,
    Cut,
    Delay,
    Drop,
    Duplicate,
    DuplicateFill,
    Freeze,
    LateFill,
    LinkRole,
    Reorder,
)

_NS_PER_MS = 1_000_000
_FOR_EVER = 2**63

Payload = bytes | None | Closing
"""A frame; None closes the session as the venue does, `Closing` as a fault does."""


class _Way:
    """What is on its way to one session."""

    def __init__(self, roles: tuple[LinkRole, ...]) -> None:
        self.roles = roles
        self.frozen_until = 0
        self.held: deque[tuple[int, Payload]] = deque()
        self.late: list[tuple[int, bytes]] = []
        self.overtaken: bytes | None = None
        self.unheard: list[str] = []
        self.is_cut = False

    def due(self) -> int | None:
        if self.frozen_until:
            return self.frozen_until
        dues = [due for due, _ in self.late]
        if self.held:
            dues.append(self.held[0][0])
        return min(dues, default=None)


class Outbox:
    def __init__(self, desk: FaultDesk, random: Random) -> None:
        self._desk = desk
        self._random = random
        self._staged: list[tuple[str, LinkRole, str, bytes | None]] = []
        self._ways: dict[str, _Way] = {}
        self._busy: set[str] = set()
        """Sessions that hold something back, or are frozen."""
        self._ready: list[tuple[str, Payload]] = []

    def __len__(self) -> int:
        """How many frames have been put since the last `take`: a place for `put`."""
        return len(self._staged)

    def open(self, session: str, *roles: LinkRole) -> None:
        """`roles` are what a fault for all links of a role finds this session by."""
        self._ways[session] = _Way(roles)

    def close(self, session: str) -> None:
        self._ways.pop(session, None)
        self._busy.discard(session)

    def put(self, session: str, payload: bytes | None, link: LinkRole, subject: str, place: int | None = None) -> None:
        """`place` puts it before frames that were put since."""
        staged = (session, link, subject, payload)
        self._staged.insert(len(self._staged) if place is None else place, staged)

    def take(self, now: int) -> list[tuple[str, Payload]]:
        """What leaves now, in order."""
        staged, self._staged = self._staged, []
        if self._desk.is_quiet and not self._busy and not self._ready:
            return [(session, payload) for session, _, _, payload in staged]
        self._release(now)
        for session, link, subject, payload in staged:
            way = self._ways.get(session)
            if way is not None and not way.is_cut:
                self._pass(session, way, link, subject, payload, now)
        ready, self._ready = self._ready, []
        return ready

    def next_due(self) -> int | None:
        dues = [due for session in self._busy if (due := self._ways[session].due()) is not None]
        due = min(dues, default=None)
        return due if due != _FOR_EVER else None

    # ---- what a fault does to whole sessions

    def cut(self, fault: Cut) -> None:
        """Close every session of the fault's role now."""
        for session, way in self._ways.items():
            if not way.is_cut and fault.link in (None, *way.roles):
                self._cut(session, way, Closing(fault.close_code))

    def freeze(self, fault: Freeze, now: int) -> None:
        for session, way in self._ways.items():
            if fault.link in (None, *way.roles):
                self._freeze(session, way, fault, now)

    def thaw(self, now: int) -> None:
        """Everything that is held back may go."""
        for session in self._busy:
            way = self._ways[session]
            way.frozen_until = 0
            way.held = deque((now, payload) for _, payload in way.held)
            way.late = [(now, payload) for _, payload in way.late]

    def is_frozen(self, session: str) -> bool:
        way = self._ways.get(session)
        return way is not None and way.frozen_until > 0

    def keep_unheard(self, session: str, text: str) -> None:
        """A frame that a frozen session has got: it is heard after the thaw."""
        self._ways[session].unheard.append(text)

    def take_unheard(self, now: int) -> list[tuple[str, str]]:
        """(session, text) of everything that thawed sessions got while they were frozen."""
        heard = []
        for session in sorted(self._busy):
            way = self._ways[session]
            if way.unheard and way.frozen_until <= now:
                way.frozen_until = 0
                heard += [(session, text) for text in way.unheard]
                way.unheard = []
        return heard

    # ---- one frame

    def _pass(self, session: str, way: _Way, link: LinkRole, subject: str, payload: bytes | None, now: int) -> None:
        if payload is None:
            self._send(session, way, None, now)
            return
        match fault := self._desk.frame_fault(link, subject, session, now):
            case None:
                self._send(session, way, payload, now)
            case Cut():
                self._cut(session, way, Closing(fault.close_code, payload if fault.half_frame else b""))
            case Freeze():
                self._freeze(session, way, fault, now)
                self._send(session, way, payload, now)
            case Delay():
                way.held.append((now + fault.delay_ms * _NS_PER_MS, payload))
                self._busy.add(session)
            case LateFill():
                way.late.append((now + fault.delay_ms * _NS_PER_MS, payload))
                self._busy.add(session)
            case Drop():
                pass
            case Duplicate() | DuplicateFill():
                self._send(session, way, payload, now)
                self._send(session, way, payload, now)
            case Reorder():
                self._send_overtaken(session, way, now)
                way.overtaken = payload
            case Corrupt():
                self._send(session, way, corrupted(payload, fault, self._random), now)

    def _send(self, session: str, way: _Way, payload: Payload, now: int) -> None:
        if way.frozen_until or way.held:
            way.held.append((now, payload))
            self._busy.add(session)
        else:
            self._ready.append((session, payload))
        self._send_overtaken(session, way, now)

    def _send_overtaken(self, session: str, way: _Way, now: int) -> None:
        overtaken, way.overtaken = way.overtaken, None
        if overtaken is not None:
            self._send(session, way, overtaken, now)

    def _cut(self, session: str, way: _Way, closing: Closing) -> None:
        way.is_cut = True
        way.held.clear()
        way.late.clear()
        way.frozen_until = 0
        self._ready.append((session, closing))

    def _freeze(self, session: str, way: _Way, fault: Freeze, now: int) -> None:
        way.frozen_until = _FOR_EVER if fault.duration_ms is None else now + fault.duration_ms * _NS_PER_MS
        self._busy.add(session)

    def _release(self, now: int) -> None:
        for session in sorted(self._busy):
            way = self._ways[session]
            if way.frozen_until > now:
                continue
            way.frozen_until = 0
            while way.held and way.held[0][0] <= now:
                self._ready.append((session, way.held.popleft()[1]))
            for due, payload in sorted(way.late, key=lambda item: item[0]):
                if due <= now:
                    self._ready.append((session, payload))
            way.late = [(due, payload) for due, payload in way.late if due > now]
            if not way.held and not way.late and not way.unheard:
                self._busy.discard(session)
