"""Faults of a connection to a venue, from one seed: what becomes of each frame and of each answer. No I/O, no clock."""

import json
from collections import Counter
from collections.abc import Iterator
from enum import Enum
from random import Random
from typing import Any, TypeVar

import msgspec

from runtime.clock import NS_PER_S


class FrameFault(Enum):
    DROP = "drop"
    DUPLICATE = "duplicate"
    """At once or some frames later."""
    REORDER = "reorder"
    """Comes after frames that were sent later."""
    CORRUPT = "corrupt"
    """See `corrupted`."""
    CUT = "cut"
    """The connection ends in the midst of this frame."""
    FREEZE = "freeze"
    """From this frame on the connection is open and silent."""


class AnswerFault(Enum):
    CORRUPT = "corrupt_answer"
    """See `corrupted`."""
    CUT = "cut_answer"
    """The connection ends in the midst of it."""
    REFUSE = "refuse"
    """An error of the venue instead."""
    DELAY = "delay"
    """It comes late."""
    OUTDATED = "outdated"
    """An earlier answer instead."""


Fault = FrameFault | AnswerFault
KINDS: tuple[Fault, ...] = (*FrameFault, *AnswerFault)


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Probability of each fault of a frame and of an answer, by its value. None happens by default."""

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    cut: float = 0.0
    freeze: float = 0.0
    corrupt_answer: float = 0.0
    cut_answer: float = 0.0
    refuse: float = 0.0
    delay: float = 0.0
    outdated: float = 0.0


CALM = Rates()
Kind = TypeVar("Kind", FrameFault, AnswerFault)
REFUSALS: tuple[tuple[int, dict[str, str]], ...] = (
    (500, {}),
    (503, {}),
    (429, {"retry-after": "1"}),
    (418, {"retry-after": "2"}),
)
"""Status and headers."""
REFUSAL_BODY = b'{"code":-1003,"msg":"Too many requests."}'
MAX_DELAY_NS = 3 * NS_PER_S
MAX_HELD = 4
"""Frames that may overtake one."""

_NOT_TEXT = b"\xff\xfe\x00"
_WRONG: tuple[Any, ...] = (None, True, 1.5, "12x", [], {})


class Faults:
    """Everything that goes wrong on the way from a venue to one client. `rates` may be changed at any time."""

    def __init__(self, seed: int, rates: Rates = CALM) -> None:
        self.rates = rates
        self.random = Random(seed)
        self.counts: Counter[Fault] = Counter()
        """Faults made so far."""

    def of_frame(self) -> FrameFault | None:
        return self._draw(FrameFault)

    def of_answer(self) -> AnswerFault | None:
        return self._draw(AnswerFault)

    def corrupt(self, payload: bytes) -> bytes:
        return corrupted(payload, self.random)

    def refusal(self) -> tuple[int, dict[str, str]]:
        """Status and headers."""
        return self.random.choice(REFUSALS)

    def delay_ns(self) -> int:
        return self.random.randrange(MAX_DELAY_NS)

    def _draw(self, kinds: type[Kind]) -> Kind | None:
        drawn = self.random.random()
        for kind in kinds:
            rate = getattr(self.rates, kind.value)
            if drawn < rate:
                self.counts[kind] += 1
                return kind
            drawn -= rate
        return None


class FrameFaults:
    """The frames of one connection."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._held: list[tuple[int, bytes]] = []
        """Each with the number of frames that still go first."""

    def pass_on(self, frame: bytes) -> tuple[list[bytes], FrameFault | None]:
        """What to deliver for this frame, and `CUT` or `FREEZE` if that is what happens to the connection now."""
        random = self._faults.random
        held, self._held = self._held, []
        passed: list[bytes] = []
        match self._faults.of_frame():
            case None:
                passed.append(frame)
            case FrameFault.DROP:
                pass
            case FrameFault.DUPLICATE:
                passed.append(frame)
                held.append((random.randrange(MAX_HELD), frame))
            case FrameFault.REORDER:
                held.append((random.randint(1, MAX_HELD), frame))
            case FrameFault.CORRUPT:
                passed.append(self._faults.corrupt(frame))
            case FrameFault.CUT | FrameFault.FREEZE as end:
                return [], end
        for count, late in held:
            if count == 0:
                passed.append(late)
            else:
                self._held.append((count - 1, late))
        return passed, None


def corrupted(payload: bytes, random: Random) -> bytes:
    """Damage that a careful reader can see, or that is nowhere where it looks.

    Bytes that are no text, half a document, a member that is missing or of a wrong type. One well-formed number
    instead of another, or a list without one of its rows, is not among them: that nobody can see.
    """
    match random.randrange(4):
        case 0:
            at = random.randrange(len(payload))
            return payload[:at] + _NOT_TEXT + payload[at + len(_NOT_TEXT) :]
        case 1:
            return payload[: random.randrange(len(payload))]
        case _:
            return _damaged(payload, random)


def _damaged(payload: bytes, random: Random) -> bytes:
    document = json.loads(payload)
    container, key = random.choice(list(_places(document)))
    value = container[key]
    if random.random() < 0.5:
        del container[key]
    elif isinstance(value, list | dict):
        container[key] = random.choice((None, 7, "12x"))
    else:
        container[key] = random.choice([wrong for wrong in _WRONG if type(wrong) is not type(value) or wrong == "12x"])
    return json.dumps(document, separators=(",", ":")).encode()


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every member, and of every entry of a row."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, list | dict):
            yield from _places(value)
        if isinstance(node, dict) or not isinstance(value, list | dict):
            yield node, key
