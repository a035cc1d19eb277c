"""Rendezvous hashing: which of N owners has a key, the same in every process and every run.

Each owner draws a number for the key and the highest has it (Thaler and Ravishankar, 1998). So when an owner is added,
keys move to it only, and when the last one goes, its keys only move: about one in N either way.
"""

from hashlib import blake2b


def owner(key: str, owners: int) -> int:
    """0 … `owners` - 1; the load differs by chance, as that of balls thrown into bins."""
    return max(range(owners), key=lambda number: _draw(number, key))


def _draw(number: int, key: str) -> bytes:
    return blake2b(f"{number}:{key}".encode(), digest_size=8).digest()
