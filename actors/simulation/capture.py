"""Recorded venue traffic: reads the files of one recording and says what was sent, asked and answered when.

Format (the cryptofeed project's raw data collection): a line is `epoch: json` for a received frame, `url <- epoch:
json` for a sent one, `url -> epoch: json` for an HTTP answer, and `url <-> epoch` when a connection opens. A
recording is all files that begin with the same prefix, plain or gzip: `BINANCE` is BINANCE.ws.1.0, BINANCE.http.0.0
and BINANCE.0.gz.
"""

import gzip
import re
from pathlib import Path
from typing import Any

import msgspec

from runtime.errors import ConfigError

_FRAME = re.compile(r"^(\d+\.\d+): (.*)$", re.DOTALL)
_ANSWER = re.compile(r"^(\S+) -> (\d+\.\d+): (.*)$", re.DOTALL)


class Frame(msgspec.Struct, frozen=True):
    """A received frame, exactly as it was; `ts` is when, in nanoseconds since the epoch."""

    ts: int
    payload: bytes


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer."""

    ts: int
    url: str
    payload: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.payload)


class Capture(msgspec.Struct, frozen=True):
    """Frames and answers in the order of their time."""

    name: str
    frames: tuple[Frame, ...]
    answers: tuple[Answer, ...]

    @classmethod
    def load(cls, prefix: str | Path) -> "Capture":
        """Raises `ConfigError` when there is no such recording or a line cannot be read."""
        prefix = Path(prefix)
        files = sorted(prefix.parent.glob(f"{prefix.name}.*")) if prefix.parent.is_dir() else []
        if not files:
            raise ConfigError(f"replay: no files {prefix}.*; give the common beginning of a recording's file names")
        frames: list[Frame] = []
        answers: list[Answer] = []
        for file in files:
            for number, line in enumerate(_lines(file), start=1):
                try:
                    _read_line(line, frames, answers)
                except ValueError as error:
                    raise ConfigError(f"replay: {file} line {number}: {error}") from None
        frames.sort(key=lambda frame: frame.ts)
        answers.sort(key=lambda answer: answer.ts)
        return cls(prefix.name, tuple(frames), tuple(answers))


def _lines(file: Path) -> list[str]:
    try:
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        return data.decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"replay: {file} cannot be read: {error}") from None


def _read_line(line: str, frames: list[Frame], answers: list[Answer]) -> None:
    """Lines of other kinds (sent frames, opened connections, the recorder's own settings) are passed over."""
    if match := _FRAME.match(line):
        frames.append(Frame(_nanoseconds(match[1]), match[2].encode()))
    elif match := _ANSWER.match(line):
        answers.append(Answer(_nanoseconds(match[2]), match[1], match[3].encode()))


def _nanoseconds(epoch: str) -> int:
    seconds, fraction = epoch.split(".")
    return int(seconds) * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))
