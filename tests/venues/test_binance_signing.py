"""Signatures against the examples that the venue's documentation prints."""

from base64 import b64decode
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from actors.credentials import Keys, Secret
from actors.venues.binance_api.signing import Signer
from runtime.errors import ConfigError

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"

signer = Signer(Keys(Secret(KEY), Secret(SECRET)))


def test_websocket_api_example_is_signed_as_documented() -> None:
    signed = signer.sign_parameters(
        {
            "symbol": "BTCUSDT",
            "side": "SELL",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": "0.01000000",
            "price": "52000.00",
            "recvWindow": 100,
            "timestamp": 1645423376532,
        }
    )
    assert signed["signature"] == "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"
    assert signed["apiKey"] == KEY
    assert signed["recvWindow"] == 100


def test_websocket_api_example_with_a_non_ascii_symbol_is_signed_in_utf_8_as_it_is() -> None:
    signed = signer.sign_parameters(
        {
            "symbol": "１２３４５６",
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": "1.00000000",
            "price": "0.10000000",
            "recvWindow": 5000,
            "timestamp": 1645423376532,
        }
    )
    assert signed["signature"] == "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd"
    assert signed["symbol"] == "１２３４５６"


def test_rest_example_is_signed_as_documented() -> None:
    query = signer.sign_query(
        {
            "symbol": "LTCBTC",
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": "1",
            "price": "0.1",
            "recvWindow": 5000,
            "timestamp": 1499827319559,
        }
    )
    assert query == (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
        "&timestamp=1499827319559&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    )


def test_rest_example_with_a_non_ascii_symbol_is_percent_encoded_before_it_is_signed() -> None:
    query = signer.sign_query(
        {
            "symbol": "１２３４５６",
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": "1",
            "price": "0.1",
            "recvWindow": 5000,
            "timestamp": 1499827319559,
        }
    )
    assert query == (
        "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1"
        "&price=0.1&recvWindow=5000&timestamp=1499827319559"
        "&signature=e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"
    )


def test_a_truth_value_is_signed_as_json_writes_it() -> None:
    signed = signer.sign_parameters({"omitZeroBalances": True})
    as_text = signer.sign_parameters({"omitZeroBalances": "true"})
    assert signed["signature"] == as_text["signature"]


def test_an_ed25519_key_signs_what_its_public_key_verifies() -> None:
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    owner = Signer(Keys(Secret(KEY), Secret(pem)))
    assert owner.can_log_on
    signed = owner.sign_parameters({"timestamp": 1649729878532})
    payload = f"apiKey={KEY}&timestamp=1649729878532"
    private.public_key().verify(b64decode(str(signed["signature"])), payload.encode())
    query, _, signature = owner.sign_query({"symbol": "BTCUSDT"}).rpartition("&signature=")
    private.public_key().verify(b64decode(unquote(signature)), query.encode())


def test_an_hmac_key_cannot_log_on() -> None:
    assert not signer.can_log_on


@pytest.mark.parametrize("body", ["nonsense", ""])
def test_a_private_key_that_cannot_be_read_is_a_mistake_of_the_configuration(body: str) -> None:
    pem = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
    with pytest.raises(ConfigError, match="is no private key"):
        Signer(Keys(Secret(KEY), Secret(pem)))
