"""Which fault happens when: matching, counting and the record of what has happened. Seeded and pure."""

from collections import deque
from collections.abc import Callable
from fnmatch import fnmatchcase
from random import Random
from types import UnionType

import msgspec

from actors.simulation.faults import (
    AnswerFault,
    ClockSkew,
    Cut,
    Fault,
    FrameFault,
    Freeze,
    ImmediateFault,
    LinkRole,
    RefuseConnect,
    RequestFault,
)

_NS_PER_MS = 1_000_000
_KEPT_EVENTS = 1_000

_faults: msgspec.json.Decoder[list[Fault]] = msgspec.json.Decoder(list[Fault])
_fault: msgspec.json.Decoder[Fault] = msgspec.json.Decoder(Fault)


def parse_faults(text: str) -> list[Fault]:
    """A JSON list of faults, or one alone. Raises `msgspec.DecodeError`, which names the field that is wrong."""
    return _faults.decode(text) if text.lstrip().startswith("[") else [_fault.decode(text)]


class _Planned:
    def __init__(self, fault: Fault, until: int | None) -> None:
        self.fault = fault
        self.until = until
        self.seen = 0
        self.fired = 0

    def is_active(self, now: int) -> bool:
        return (self.until is None or now < self.until) and (self.fault.count is None or self.fired < self.fault.count)


class FaultDesk:
    """Of several faults that match, the one added first happens.

    `at_once` carries out what waits for no occasion; `end` lets go of what faults hold back, when they are taken away.
    """

    def __init__(self, random: Random, at_once: Callable[[Fault, int], None], end: Callable[[int], None]) -> None:
        self._random = random
        self._at_once = at_once
        self._end = end
        self._planned: dict[int, _Planned] = {}
        self._last_id = 0
        self._log: deque[dict[str, object]] = deque(maxlen=_KEPT_EVENTS)

    @property
    def is_quiet(self) -> bool:
        """Nothing was ever planned, or everything has been taken away."""
        return not self._planned

    def add(self, *faults: Fault, now: int) -> list[int]:
        """The ids under which `report` lists them."""
        ids = []
        for fault in faults:
            self._last_id += 1
            ids.append(self._last_id)
            until = None if fault.for_ms is None else now + fault.for_ms * _NS_PER_MS
            planned = self._planned[self._last_id] = _Planned(fault, until)
            if isinstance(fault, ImmediateFault) or (isinstance(fault, Cut | Freeze) and fault.at_once):
                planned.seen = planned.fired = 1
                self._record(self._last_id, fault, fault.link, fault.subject or "", "", now)
                self._at_once(fault, now)
        return ids

    def remove(self, fault_id: int | None, now: int) -> None:
        """All of them without an id, and an id that is not there is no error. Frozen and delayed links go on."""
        if fault_id is None:
            self._planned.clear()
        else:
            self._planned.pop(fault_id, None)
        self._end(now)

    def clear(self, now: int) -> None:
        self.remove(None, now)

    def frame_fault(self, link: LinkRole, subject: str, session: str, now: int) -> FrameFault | None:
        """What happens to a frame that is about to leave."""
        fault = self._fire(FrameFault, link, subject, "", session, now)
        return fault if isinstance(fault, FrameFault) else None

    def request_fault(self, link: LinkRole, operation: str, session: str, now: int) -> RequestFault | None:
        """What happens to a request on a socket."""
        fault = self._fire(RequestFault, link, operation, "", session, now)
        return fault if isinstance(fault, RequestFault) else None

    def answer_fault(self, operation: str, route: str, now: int) -> AnswerFault | None:
        """What happens to an HTTP request and its answer; both names are ways to say which."""
        fault = self._fire(AnswerFault, LinkRole.REST, operation, route, "", now)
        return fault if isinstance(fault, AnswerFault) else None

    def connect_fault(self, link: LinkRole, path: str, now: int) -> RefuseConnect | None:
        """What happens to somebody who opens a socket."""
        fault = self._fire(RefuseConnect, link, path, "", "", now)
        return fault if isinstance(fault, RefuseConnect) else None

    def _fire(
        self, kinds: type | UnionType, link: LinkRole, subject: str, also: str, session: str, now: int
    ) -> Fault | None:
        fired: Fault | None = None
        for fault_id, planned in self._planned.items():
            fault = planned.fault
            if not isinstance(fault, kinds) or (isinstance(fault, Cut | Freeze) and fault.at_once):
                continue
            if not planned.is_active(now) or not _matches(fault, link, subject, also):
                continue
            planned.seen += 1
            if fired is not None or planned.seen <= fault.after:
                continue
            if fault.probability >= 1 or self._random.random() < fault.probability:
                planned.fired += 1
                self._record(fault_id, fault, link, subject, session, now)
                fired = fault
        return fired

    def clock_skew_ns(self, now: int) -> int:
        """How far the venue's clock is off: the newest skew that is still in force."""
        for planned in reversed(self._planned.values()):
            if isinstance(planned.fault, ClockSkew) and (planned.until is None or now < planned.until):
                return planned.fault.offset_ms * _NS_PER_MS
        return 0

    def report(self, now: int) -> dict[str, object]:
        """Every fault with what became of it, and the last thousand times that one happened."""
        faults = [
            {
                "id": fault_id,
                "fault": planned.fault,
                "seen": planned.seen,
                "fired": planned.fired,
                "active": planned.is_active(now),
            }
            for fault_id, planned in self._planned.items()
        ]
        return {"faults": faults, "log": list(self._log)}

    def _record(self, fault_id: int, fault: Fault, link: LinkRole | None, subject: str, session: str, now: int) -> None:
        kind = fault.__struct_config__.tag
        role = link.value if link is not None else None
        self._log.append(
            {"time": now, "id": fault_id, "kind": kind, "link": role, "subject": subject, "session": session}
        )


def _matches(fault: Fault, link: LinkRole, subject: str, also: str) -> bool:
    if fault.link is not None and fault.link is not link:
        return False
    return fault.subject is None or fnmatchcase(subject, fault.subject) or fnmatchcase(also, fault.subject)
