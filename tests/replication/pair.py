"""An owner and a follower on recorded contexts, with what they say to each other carried by hand."""

from pathlib import Path
from typing import Any

from runtime.actor import ActorDown, ActorUp, Context, JournalCopied, JournalCopyChanged, Report, Started
from runtime.address import Address, StreamKind
from runtime.journal import Journal
from runtime.journal.layout import SEGMENTS
from runtime.message import Message
from runtime.replication.follower import JournalFollower
from runtime.replication.owner import LOOK_NS, Owner
from tests.support.context import RecordingContext

RUN = "1700000000000000000"


def address(name: str, incarnation: int) -> Address:
    return Address(name, incarnation, StreamKind.UNIX, f"/{name}.{incarnation}", name)


class Note(Message, frozen=True, array_like=True, tag=True):
    """To the actor that has a journal: append this."""

    text: bytes


class Clerk:
    """Appends what it is told and remembers what it hears of the copy."""

    def __init__(self) -> None:
        self.replayed: list[bytes] = []
        self.copied = 0
        self.problems: list[str] = []

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Started():
                self.replayed = [record for _, record in ctx.read_journal()]
            case Note(text):
                ctx.append(text)
            case JournalCopied(sequence):
                self.copied = sequence
            case JournalCopyChanged(problem):
                self.problems.append(problem)
            case _:
                pass

    def before_open(self, message: Any, ctx: Context) -> Any:
        return None if isinstance(message, Note) and message.text == b"now or never" else message

    def report(self) -> Report:
        return Report()


class JournalContext(RecordingContext):
    """Appends to the real journal that the owner has opened."""

    def __init__(self, incarnation: int, time: int) -> None:
        super().__init__("owner", incarnation, time)
        self.file: Journal | None = None

    def append(self, record: bytes) -> int:
        assert self.file is not None
        return self.file.append(record)

    def read_journal(self) -> Any:
        assert self.file is not None
        return self.file.read()


class OwnersLife:
    def __init__(self, machine: Path, incarnation: int, time: int, run: str = RUN) -> None:
        self.folder = machine / "journal"
        self.ctx = JournalContext(incarnation, time)
        self.clerk = Clerk()
        self.owner = Owner(
            self.clerk,
            self.folder,
            machine / "journal-copy",
            "follower",
            run,
            address("owner", incarnation),
            self._opened,
        )

    def _opened(self, journal: Journal) -> None:
        self.ctx.file = journal

    @property
    def journal(self) -> Journal:
        assert self.ctx.file is not None
        return self.ctx.file

    def receive(self, message: Any) -> None:
        self.owner.receive(message, self.ctx)

    def append(self, *texts: bytes) -> None:
        for text in texts:
            self.receive(Note(text))

    def end(self) -> None:
        if self.ctx.file is not None:
            self.ctx.file.close()
        self.owner.let_go()


class FollowersLife:
    def __init__(self, machine: Path, incarnation: int, time: int, run: str = RUN) -> None:
        self.folder = machine / "journal-copy"
        self.ctx = RecordingContext("follower", incarnation, time)
        self.follower = JournalFollower(self.folder, run, machine / "journal")
        self.receive(Started())

    def receive(self, message: Any) -> None:
        self.follower.receive(message, self.ctx)

    def end(self) -> None:
        self.follower.let_go()


class Pair:
    """`carry` delivers until nobody says anything more; `lose` drops what is on its way."""

    def __init__(self, here: Path, there: Path) -> None:
        self.here, self.there = here, there
        self.time = 1_700_000_000_000_000_000
        self.owner: OwnersLife | None = None
        self.follower: FollowersLife | None = None

    def start_follower(self, machine: Path | None = None, incarnation: int = 1, run: str = RUN) -> FollowersLife:
        self.follower = FollowersLife(machine or self.there, incarnation, self.time, run)
        self._introduce()
        return self.follower

    def start_owner(self, machine: Path | None = None, incarnation: int = 1, run: str = RUN) -> OwnersLife:
        self.owner = OwnersLife(machine or self.here, incarnation, self.time, run)
        self.owner.receive(Started())
        self._introduce()
        return self.owner

    def _introduce(self) -> None:
        if self.owner is not None and self.follower is not None:
            self.owner.receive(ActorUp(address("follower", self.follower.ctx.incarnation)))
            self.carry()

    def end_owner(self) -> None:
        assert self.owner is not None
        self.owner.end()
        self.owner = None

    def end_follower(self) -> None:
        assert self.follower is not None
        self.follower.end()
        if self.owner is not None:
            self.owner.ctx.told.clear()
            self.owner.receive(ActorDown("follower", self.follower.ctx.incarnation, "killed"))
        self.follower = None

    def carry(self) -> None:
        while self.carry_to_follower() or self.carry_to_owner():
            pass

    def carry_to_follower(self) -> int:
        if self.owner is None or self.follower is None:
            return 0
        told, self.owner.ctx.told = self.owner.ctx.told_to("follower"), []
        for message in told:
            self.follower.receive(message)
        return len(told)

    def carry_to_owner(self) -> int:
        if self.owner is None or self.follower is None:
            return 0
        told, self.follower.ctx.told = self.follower.ctx.told_to("owner"), []
        for message in told:
            self.owner.receive(message)
        return len(told)

    def lose(self) -> None:
        for life in (self.owner, self.follower):
            if life is not None:
                life.ctx.told.clear()

    def pass_time(self, duration_ns: int, *, carrying: bool = True) -> None:
        for _ in range(duration_ns // LOOK_NS):
            self.time += LOOK_NS
            for life in (self.owner, self.follower):
                if life is not None:
                    life.ctx.time = self.time
                    for message in life.ctx.due():
                        life.receive(message)
            if carrying:
                self.carry()


def started(pair: Pair) -> Pair:
    pair.start_follower()
    pair.start_owner()
    return pair


def segments(folder: Path) -> dict[str, bytes]:
    """What has to be the same here and there."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob(SEGMENTS))}


def write(folder: Path, *records: bytes, segment_bytes: int = 1 << 20) -> None:
    journal = Journal.open(folder, segment_bytes=segment_bytes)
    journal.append_many(list(records))
    journal.close()
