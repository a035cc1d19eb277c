"""House rules that no linter knows: small files that say their job, one clock, a runtime without trading words."""

import io
import re
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("actors", "runtime")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
RUNTIME = [path for path in MODULES if path.is_relative_to(ROOT / "runtime")]

TRADING_WORDS = {
    *("order", "orders", "trade", "trades", "trading", "trader", "venue", "venues", "quote", "quotes", "strategy"),
    *("strategies", "instrument", "instruments", "symbol", "symbols", "fill", "fills", "price", "prices"),
    *("portfolio", "market", "markets", "exchange", "exchanges", "broker", "bid", "risk", "binance"),
}
NOT_TRADING = (
    r"\bin (?:the |their |its |\w+ )?order\b",
    r"\b(?:the|an|their|same|reverse|wire|byte) order(?: of\b|\b)",
    r"\border of\b",
    r"\bout of order\b",
    r"\border(?:ly|ed|ing)\b",
    r"\borders? of the supervisor\b",
    r"\bfills? (?:up|the|its|a|in)\b",
)
"""English that happens to share a word with the trade; each is taken out before a sentence is looked at."""
OF_OTHERS = {
    ("runtime/telemetry/redaction.py", "quote"),
    ("runtime/cluster/hosts.py", "strategy"),
    ("runtime/cluster/hosts.py", "strategies"),
}
"""Names that are the standard library's or Ray's."""


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_a_module_says_its_job_in_its_first_line_unless_it_is_empty() -> None:
    silent = [path for path in MODULES if path.read_text() and not path.read_text().startswith('"""')]
    assert [relative(path) for path in silent] == []


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    lengths = {relative(path): len(path.read_text().splitlines()) for path in [*MODULES, *TESTS]}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_the_clock_is_read_in_one_place() -> None:
    reads = re.compile(r"\btime\.(?:time|time_ns|monotonic|monotonic_ns)\(|\bdatetime\.(?:now|utcnow|today)\(")
    found = [
        f"{relative(path)}:{number}"
        for path in MODULES
        if path != ROOT / "runtime" / "clock.py"
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if reads.search(line)
    ]
    assert found == []


def test_the_runtime_knows_no_trading_word() -> None:
    found = [
        f"{relative(path)}:{line}: {word}"
        for path in RUNTIME
        for line, word in trading_words(path.read_text())
        if (relative(path), word) not in OF_OTHERS
    ]
    assert found == []


def test_trading_words_are_found_in_names_comments_and_docstrings_and_english_is_not() -> None:
    text = (
        '"""Keeps the order of messages."""\nORDER_LANE = 1\ndef f(marketData):\n    # the venue, in order\n    pass\n'
    )
    assert trading_words(text) == [(2, "order"), (3, "market"), (4, "venue")]


def trading_words(text: str) -> list[tuple[int, str]]:
    """(line, word) for each; identifiers are taken apart at `_` and at capitals."""
    found = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in (tokenize.NAME, tokenize.STRING, tokenize.COMMENT):
            continue
        for offset, line in enumerate(token.string.splitlines()):
            for english in NOT_TRADING:
                line = re.sub(english, "", line, flags=re.IGNORECASE)
            words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", line)
            found += [(token.start[0] + offset, word.lower()) for word in words if word.lower() in TRADING_WORDS]
    return found
