"""Which shard has a symbol: the same everywhere, evenly spread, and as few moves as can be."""

import subprocess
import sys
from collections import Counter
from itertools import product
from string import ascii_uppercase

import pytest

from actors.model.rendezvous import owner

SYMBOLS = ["".join(letters) + "USDT" for letters in product(ascii_uppercase[:10], repeat=3)]


def test_the_owner_is_the_same_in_every_process_whatever_its_hash_seed() -> None:
    code = "from actors.model.rendezvous import owner; print([owner(s, 7) for s in ('BTCUSDT', 'ETHUSDT', 'BNBUSDT')])"
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert said == {str([owner(symbol, 7) for symbol in ("BTCUSDT", "ETHUSDT", "BNBUSDT")]).encode() + b"\n"}


def test_the_owners_of_some_known_symbols_never_change_from_version_to_version() -> None:
    assert [owner(symbol, 4) for symbol in ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT")] == [3, 0, 3, 1]


@pytest.mark.parametrize("owners", [2, 3, 4, 8, 16])
def test_a_thousand_symbols_are_spread_evenly(owners: int) -> None:
    load = Counter(owner(symbol, owners) for symbol in SYMBOLS)
    mean = len(SYMBOLS) / owners
    assert set(load) == set(range(owners))
    assert all(abs(each - mean) < 4 * mean**0.5 for each in load.values()), load


@pytest.mark.parametrize("owners", [1, 2, 3, 4, 8, 15])
def test_one_owner_more_takes_its_share_and_nothing_else_moves(owners: int) -> None:
    moved = [symbol for symbol in SYMBOLS if owner(symbol, owners) != owner(symbol, owners + 1)]
    assert {owner(symbol, owners + 1) for symbol in moved} == {owners}
    share = len(SYMBOLS) / (owners + 1)
    assert abs(len(moved) - share) < 4 * share**0.5


def test_one_owner_has_everything() -> None:
    assert {owner(symbol, 1) for symbol in SYMBOLS} == {0}
