"""Protocols are made by kind, with their secrets."""

import pytest

from actors.settings import Credentials, VenueSettings
from actors.venues.binance import BinanceSpot
from actors.venues.registry import make_protocol
from runtime.errors import ConfigError


def test_a_protocol_is_made_for_its_kind() -> None:
    settings = VenueSettings(kind="binance", symbols=["BTCUSDT"], credentials=Credentials(key="demo", secret="demo"))
    protocol = make_protocol("main", settings)
    assert isinstance(protocol, BinanceSpot)
    assert protocol.symbols == ["BTCUSDT"]


def test_a_missing_secret_is_named_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MISSING_SECRET", raising=False)
    credentials = Credentials(key="demo", secret="env:MISSING_SECRET")
    settings = VenueSettings(kind="binance", symbols=["BTCUSDT"], credentials=credentials)
    with pytest.raises(ConfigError, match="MISSING_SECRET"):
        make_protocol("main", settings)
