"""Captured frames of Binance, recorded in 2021 with cryptofeed; tests that need them are skipped where they are not."""

import os
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

FOLDER = Path(os.environ.get("OUTCRY_CAPTURES") or Path(__file__).parents[3] / "shared" / "data" / "captures")

needs_captures = pytest.mark.skipif(
    not (FOLDER / "BINANCE.ws.1.0").exists(), reason=f"no captures in {FOLDER} (set OUTCRY_CAPTURES)"
)


@cache
def frames() -> list[tuple[int, bytes]]:
    """(ts_recv in nanoseconds, payload) of each frame."""
    lines = (FOLDER / "BINANCE.ws.1.0").read_bytes().splitlines()[1:]
    split = [line.split(b": ", 1) for line in lines if b": " in line]
    return [(int(float(time) * 1e9), payload) for time, payload in split]


@cache
def snapshots() -> dict[str, bytes]:
    """symbol → the body of its depth snapshot."""
    bodies: dict[str, bytes] = {}
    for line in (FOLDER / "BINANCE.http.0.0").read_text().splitlines():
        address, _, answer = line.partition(" -> ")
        if "/depth?" not in address:
            continue
        symbol = parse_qs(urlsplit(address).query)["symbol"][0]
        bodies[symbol] = answer.partition(": ")[2].encode()
    return bodies
