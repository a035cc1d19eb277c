"""What a journal or a copy remembers of the lives that used it: a small file beside its segments."""

from pathlib import Path

import msgspec

from runtime.errors import Unavailable

OF_OWNER, OF_COPY = "owner.json", "copy.json"
"""In the folder of a journal, and in that of a copy."""


class Memory(msgspec.Struct, frozen=True):
    """Life is the incarnation of the actor whose folder it is."""

    run: str = ""
    life: int = 0
    """The last one that used the folder in that run."""
    owner: int = 0
    """Of a copy: the newest life of the journal's owner that was heard of."""
    followed: bool = False
    """In that run an owner has opened the journal, or used the copy: what earlier runs left is not looked for again."""
    current: bool = False
    """Of a copy: it holds all that was ever acknowledged."""

    def continues(self, run: str, life: int) -> bool:
        """Between that life and this one nobody else can have been the owner, or the follower."""
        return life == 1 or (self.run == run and self.life == life - 1)


def recall(file: Path) -> Memory:
    """What is not there or not whole is forgotten."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Memory)
    except (FileNotFoundError, msgspec.DecodeError):
        return Memory()
    except OSError as error:
        raise Unavailable(f"{file}: {error.strerror}") from error


def remember(file: Path, memory: Memory) -> None:
    """Whole or not at all. Raises `Unavailable`."""
    unfinished = file.with_suffix(".unfinished")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(msgspec.json.encode(memory))
        unfinished.rename(file)
    except OSError as error:
        raise Unavailable(f"{file}: {error.strerror}") from error


def begin_life(file: Path, run: str, life: int) -> tuple[bool, bool]:
    """Of an owner: whether nobody else can have been the owner since the folder was used, and whether in this run it
    was used already. Raises `Unavailable`."""
    memory = recall(file)
    is_known = memory.continues(run, life)
    has_led = memory.run == run and memory.followed
    if is_known:
        remember(file, Memory(run, life, followed=has_led))
    return is_known, has_led
