"""No secret leaves through a log: a scanner looks for them in everything that was written."""

import io
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.telemetry import redaction
from runtime.telemetry.logs import LineFile, console_log, open_log, silent_log
from runtime.telemetry.redaction import is_sensitive, redact, redact_text, register_secret

SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP/1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIFgn\n-----END PRIVATE KEY-----"


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_registered", set())
    monkeypatch.setattr(redaction, "_values", None)
    register_secret(SECRET)
    register_secret(PEM)


class Holder:
    def __repr__(self) -> str:
        return f"Holder({SECRET})"


def log_everything_with_secrets(log: object) -> None:
    assert hasattr(log, "info")
    log.info("plain", value=SECRET)
    log.info(f"in the event {SECRET}")
    log.info("nested", value={"list": [1, (SECRET, {"deep": Holder()})]})
    log.info("bytes", value=SECRET.encode())
    log.info("encoded", url="https://host/path?x=" + quote(SECRET, safe=""))
    log.info("as a key", value={SECRET: 1})
    log.info("pem", value=PEM, shown=repr(PEM))
    log.info(
        "by name", api_key="unregistered-1", apiSecret="unregistered-2", headers={"X-MBX-APIKEY": "unregistered-3"}
    )
    log.info("in text", url="wss://host/ws?listenKey=unregistered-4&signature=unregistered-5", n=1)
    log.info("in json", frame='{"apiKey": "unregistered-6", "signature":"unregistered-7", "price": "1.5"}')
    try:
        raise ValueError(f"request with {SECRET} failed, signature=unregistered-8")
    except ValueError as error:
        log.error("failed", exc_info=error, error=error)  # type: ignore[attr-defined]


def scan(text: str) -> list[str]:
    forms = [SECRET, quote(SECRET, safe=""), "MC4CAQAwBQYDK2VwBCIEIFgn", "unregistered"]
    return [form for form in forms if form in text]


def test_a_scanner_finds_no_secret_in_a_log_file(tmp_path: Path) -> None:
    log_everything_with_secrets(open_log(str(tmp_path), "host", 1))
    text = (tmp_path / "host.jsonl").read_text()
    assert len(text.splitlines()) == 11
    assert scan(text) == []
    assert "***" in text


def test_a_scanner_finds_no_secret_on_a_terminal() -> None:
    stream = io.StringIO()
    log_everything_with_secrets(console_log(stream))
    assert scan(stream.getvalue()) == []
    assert "in json" in stream.getvalue()


def test_what_is_no_secret_stays_readable() -> None:
    assert redact_text("price=1.5 monkey=2 client_order_id=ab&x=1") == "price=1.5 monkey=2 client_order_id=ab&x=1"
    assert redact({"price": "1.5", "n": 1, "ok": True, "none": None, "f": 0.5}) == {
        "price": "1.5",
        "n": 1,
        "ok": True,
        "none": None,
        "f": 0.5,
    }


@pytest.mark.parametrize(
    "name",
    [
        "key",
        "api_key",
        "apiKey",
        "X-MBX-APIKEY",
        "secret",
        "apiSecret",
        "signature",
        "passphrase",
        "listenKey",
        "token",
    ],
)
def test_a_name_that_says_secret_is_recognised(name: str) -> None:
    assert is_sensitive(name)


@pytest.mark.parametrize("name", ["monkey", "keyboard", "client_order_id", "symbol", "tokens_left", "secretary"])
def test_a_name_that_only_resembles_one_is_not(name: str) -> None:
    assert not is_sensitive(name)


def test_a_value_too_short_to_be_a_secret_is_not_masked_everywhere() -> None:
    register_secret("buy")
    assert redact_text("buy 3") == "buy 3"


@given(before=st.text(), after=st.text())
def test_a_registered_secret_is_masked_wherever_it_stands(before: str, after: str) -> None:
    assert SECRET not in redact_text(before + SECRET + after)


# ---- the log itself ----------------------------------------------------------------------------------------------


def test_a_line_is_json_with_time_level_event_host_and_values(tmp_path: Path) -> None:
    log = open_log(str(tmp_path), "connector.binance", 3)
    log.info("link_up", link="market", attempt=2)
    log.debug("not written")
    line = json.loads((tmp_path / "connector.binance.jsonl").read_text())
    assert line.pop("ts") > 1_700_000_000_000_000_000
    assert line.pop("pid") > 0
    assert line == {
        "level": "info",
        "event": "link_up",
        "host": "connector.binance",
        "incarnation": 3,
        "link": "market",
        "attempt": 2,
    }


def test_what_json_cannot_hold_is_written_all_the_same(tmp_path: Path) -> None:
    log = open_log(str(tmp_path), "host", 1)
    log.info("odd", big=1 << 80, lone="\ud800", nan=float("nan"))
    assert json.loads((tmp_path / "host.jsonl").read_text())["big"] == "1208925819614629174706176"


def test_a_log_that_cannot_be_written_loses_lines_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sink = LineFile(tmp_path / "file" / "host.jsonl")
    sink.write(b"line\n")
    assert sink.lost == 1
    open_log(str(tmp_path / "file"), "host", 1).info("lost")


def test_a_log_that_has_grown_too_large_starts_anew_and_keeps_the_one_before(tmp_path: Path) -> None:
    sink = LineFile(tmp_path / "host.jsonl", max_bytes=10)
    for number in range(5):
        sink.write(b"line%d\n" % number)
    assert (tmp_path / "host.jsonl").read_bytes() == b"line4\n"
    assert (tmp_path / "host.jsonl.1").read_bytes() == b"line3\n"


def test_a_silent_log_takes_everything() -> None:
    log = silent_log()
    log.debug("a")
    log.info("b", x=1)
    log.warning("c")
    log.error("d")
