"""The fake venue's signature check against the worked examples that the venue's documentation prints."""

import pytest

from actors.simulation.accounts import Account
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal
from actors.simulation.binance.security import Security
from runtime.clock import NS_PER_MS

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
ORDER = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
REST_EXAMPLES = [
    (f"symbol=LTCBTC&{ORDER}", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
    (
        f"symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&{ORDER}",
        "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
    ),
]


def security() -> Security:
    return Security({KEY: Account(KEY, SECRET, 1, {})})


def check(query: str, body: str) -> str:
    parameters = Parameters.from_request(query, body)
    return security().check_rest(KEY, query, body, parameters, 1499827319559 * NS_PER_MS).key


@pytest.mark.parametrize(("payload", "signature"), REST_EXAMPLES)
def test_the_documented_rest_examples_are_valid_in_the_query_and_in_the_body(payload: str, signature: str) -> None:
    assert check(f"{payload}&signature={signature}", "") == KEY
    assert check("", f"{payload}&signature={signature}") == KEY


def test_query_and_body_are_signed_one_after_the_other_without_a_separator() -> None:
    query = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC"
    body = "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
    signature = "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
    assert check(query, f"{body}&signature={signature}") == KEY


def test_a_payload_that_was_changed_after_signing_is_refused() -> None:
    payload, signature = REST_EXAMPLES[0]
    with pytest.raises(Refusal, match="Signature for this request is not valid"):
        check(f"{payload.replace('quantity=1', 'quantity=2')}&signature={signature}", "")


@pytest.mark.parametrize(
    ("symbol", "side", "quantity", "price", "window", "signature"),
    [
        (
            "BTCUSDT",
            "SELL",
            "0.01000000",
            "52000.00",
            "100",
            "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24",
        ),
        (
            "１２３４５６",
            "BUY",
            "1.00000000",
            "0.10000000",
            "5000",
            "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd",
        ),
    ],
)
def test_the_documented_websocket_examples_are_valid(
    symbol: str, side: str, quantity: str, price: str, window: str, signature: str
) -> None:
    params = {
        "symbol": symbol,
        "side": side,
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": quantity,
        "price": price,
        "recvWindow": window,
        "timestamp": "1645423376532",
        "apiKey": KEY,
        "signature": signature,
    }
    account = security().check_message(params, Parameters(params), 1645423376532 * NS_PER_MS)
    assert account.key == KEY
