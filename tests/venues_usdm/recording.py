"""The recording of Binance USD-M futures, read from its files and by nothing else."""

import json
import os
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("OUTCRY_CAPTURES") or Path(__file__).parents[3] / "shared" / "data" / "captures")
PREFIX = FOLDER / "BINANCE_FUTURES"
SYMBOLS = ("SUSHIUSDT", "AKROUSDT", "KEEPUSDT", "CTKUSDT")

needs_recording = pytest.mark.skipif(
    not (FOLDER / "BINANCE_FUTURES.ws.1.0").exists(), reason=f"no captures in {FOLDER} (set OUTCRY_CAPTURES)"
)

Book = dict[str, dict[Decimal, Decimal]]


@cache
def frames() -> list[dict[str, Any]]:
    lines = (FOLDER / "BINANCE_FUTURES.ws.1.0").read_text().splitlines()
    return [json.loads(line.split(": ", 1)[1]) for line in lines if line[:1].isdigit()]


@cache
def books() -> dict[str, tuple[int, Book]]:
    """Symbol → (last update id, levels): the captured snapshot with every captured update after it."""
    found: dict[str, tuple[int, Book]] = {}
    for line in (FOLDER / "BINANCE_FUTURES.http.0.0").read_text().splitlines():
        if "/depth?" in line:
            symbol = line.split("symbol=")[1].split("&")[0]
            snapshot = json.loads(line.split(": ", 1)[1])
            levels = {side: levels_of(snapshot[side]) for side in ("bids", "asks")}
            found[symbol] = (snapshot["lastUpdateId"], levels)
    for frame in frames():
        update = frame["data"]
        if update["e"] != "depthUpdate" or update["u"] <= found[update["s"]][0]:
            continue
        levels = found[update["s"]][1]
        for side, rows in (("bids", update["b"]), ("asks", update["a"])):
            for price, quantity in levels_of(rows).items():
                levels[side][price] = quantity
                if not quantity:
                    del levels[side][price]
        found[update["s"]] = (update["u"], levels)
    return found


def levels_of(rows: list[list[str]]) -> dict[Decimal, Decimal]:
    return {Decimal(price): Decimal(quantity) for price, quantity in rows}
