"""Logs: an event name and key/values, one JSON line each in a file per host, or readable lines on a terminal."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

import msgspec

from runtime.actor import Logger
from runtime.clock import Clock, WallClock
from runtime.telemetry.plain_structlog import structlog
from runtime.telemetry.redaction import redact, redact_text

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

MAX_BYTES = 64 * 1024 * 1024
"""A log file that has grown so large is kept as `<name>.1` in place of the one before."""

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def open_log(folder: str, host: str, incarnation: int, level: str = "info", clock: Clock | None = None) -> Logger:
    """Log of one host: JSON lines in `<folder>/<host>.jsonl`, appended; on a terminal if `folder` is "".

    Every line has `ts` (nanoseconds since the epoch), `level`, `event`, `host` and `incarnation`. Never raises later:
    a line that cannot be written is lost.
    """
    if not folder:
        return console_log(level=level).bind(host=host)
    sink = LineFile(Path(folder, f"{host}.jsonl"))
    return _logger(sink, level, _timestamp(clock or WallClock()), _encode).bind(
        host=host, incarnation=incarnation, pid=os.getpid()
    )


def console_log(stream: TextIO | None = None, level: str = "info") -> "structlog.typing.FilteringBoundLogger":
    """Lines for a person."""
    stream = stream or sys.stderr
    renderer = structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)
    clock = structlog.processors.TimeStamper(fmt="%H:%M:%S.%f", utc=False)
    return _logger(structlog.WriteLogger(stream), level, clock, renderer)


def silent_log() -> Logger:
    return SilentLog()


class SilentLog:
    def debug(self, event: str, **values: object) -> None: ...
    def info(self, event: str, **values: object) -> None: ...
    def warning(self, event: str, **values: object) -> None: ...
    def error(self, event: str, **values: object) -> None: ...


class LineFile:
    """Where lines go: one unbuffered write each, so that a killed process loses none. Starts anew at `MAX_BYTES`."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._file = -1
        self._room = 0
        self.lost = 0
        """Lines that could not be written."""

    def write(self, line: bytes) -> None:
        try:
            if self._file < 0 or self._room < len(line):
                self._open(len(line))
            self._room -= os.write(self._file, line)
        except OSError:
            self.lost += 1

    debug = info = warning = error = write

    def _open(self, wanted: int) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and self._path.stat().st_size + wanted > self._max_bytes:
            self._path.replace(self._path.with_name(self._path.name + ".1"))
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._room = max(self._max_bytes - os.fstat(self._file).st_size, wanted)


def _logger(
    sink: object, level: str, clock: "Callable[..., EventDict]", renderer: Callable[..., object]
) -> "structlog.typing.FilteringBoundLogger":
    processors = [
        structlog.processors.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _redact,
        clock,
        renderer,
    ]
    return cast(
        "structlog.typing.FilteringBoundLogger",
        structlog.wrap_logger(
            sink,
            processors=processors,  # type: ignore[arg-type]
            wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
            context_class=dict,
        ),
    )


def _redact(_: "WrappedLogger", __: str, values: "EventDict") -> "EventDict":
    return {name: redact_text(str(value)) if name == "event" else redact(value, name) for name, value in values.items()}


def _timestamp(clock: Clock) -> "Callable[..., EventDict]":
    return lambda _, __, values: {"ts": clock.now(), **values}


def _encode(_: "WrappedLogger", __: str, values: "EventDict") -> bytes:
    try:
        return msgspec.json.encode(values) + b"\n"
    except (OverflowError, UnicodeEncodeError):
        return msgspec.json.encode({name: ascii(value) for name, value in values.items()}) + b"\n"
