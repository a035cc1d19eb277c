"""The beginning of an owner's life: which journal is the true one, that of this machine or the follower's copy?

The one with the acknowledged records wins. A journal of this machine counts if it was the last life that used it: the
owner has everything that was ever acknowledged, as it writes before it sends. A copy counts if it is `CURRENT`. When a
run begins, neither has a life before, and the longer one is taken if it continues the other.
"""

from enum import Enum
from pathlib import Path

from runtime.errors import Corrupt, Unavailable
from runtime.journal.layout import SEGMENTS
from runtime.journal.position import Position
from runtime.replication.copying import Bytes, Copy, holds
from runtime.replication.memory import OF_COPY, OF_OWNER, recall
from runtime.replication.messages import Standing


class InUse(Unavailable):
    """Somebody of another run has a copy open: what it holds may still grow."""


class Decision(Enum):
    OPEN = "open"
    """The journal of this machine is the one, or holds all of the copy."""
    FETCH = "fetch"
    """What the copy has besides is fetched."""
    REFUSE = "refuse"
    """Neither is known to have everything: somebody has to look."""


def decide(is_own_known: bool, copy: Position | None, standing: Standing, own_holds: bool) -> Decision:
    """`own_holds`: the journal of this machine holds all of the copy. `is_own_known`: no other life came between."""
    if not is_own_known and standing is not Standing.CURRENT:
        return Decision.REFUSE
    if copy is not None and standing is not Standing.UNKNOWN and not own_holds:
        return Decision.FETCH
    return Decision.OPEN


def own_position(folder: Path) -> Position | None:
    """Where the journal of this machine ends; None if there is none. Cuts a torn tail, as opening does."""
    if not any(folder.glob(SEGMENTS)):
        return None
    journal = Copy.open_at(folder)
    try:
        return journal.position
    finally:
        journal.close()


def adopt(copy_folder: Path, folder: Path, run: str) -> int:
    """Bring the journal here up to a copy on the same machine that nobody writes any more, as when the follower's
    machine becomes the owner's. Returns how many records that were. Raises `Corrupt` if the two have parted.

    One that the other side in this run has open tells what it has itself; `InUse` if it is anybody else, who may
    belong to a run that is over or to one that lives.
    """
    if not any(copy_folder.glob(SEGMENTS)):
        return 0
    try:
        source = Copy.open_at(copy_folder)
    except Unavailable as error:
        if run in (recall(copy_folder / OF_COPY).run, recall(copy_folder / OF_OWNER).run):
            return 0
        raise InUse(str(error)) from error
    journal = Copy.open_at(folder)
    before = journal.sequence
    chunks = Bytes(source, journal.position)
    try:
        if source.sequence > before:
            if journal.position is not None and not holds(copy_folder, journal.position):
                raise parted(folder, str(copy_folder))
            while (chunk := chunks.next()) is not None:
                journal.put(*chunk)
        elif source.position is not None and not holds(folder, source.position):
            raise parted(folder, str(copy_folder))
        return journal.sequence - before
    finally:
        chunks.close()
        journal.close()
        source.close()


def parted(folder: Path, other: str) -> Corrupt:
    return Corrupt(
        f"journal {folder} and its copy, {other}, do not continue each other; find out which of them is the desk's "
        "(`outcry journal verify` says how far each goes) and move the other one away"
    )


def nobody_knows(folder: Path, other: str) -> Corrupt:
    return Corrupt(
        f"neither the journal {folder} nor its copy, {other}, is known to hold all that was acknowledged: bring back "
        "the machine of the last life, or stop the run, choose the newest journal by hand and start anew"
    )
