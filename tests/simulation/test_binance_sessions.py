"""Keys, logon, time units and bans at the fake venue, without sockets."""

import base64
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from actors.simulation.binance.venue import FakeBinance
from actors.simulation.keys import load_public_key
from runtime.clock import NS_PER_S
from runtime.errors import ConfigError
from tests.simulation.pure import HOST, MS, START, PureClient

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "60000"}


def pem(key: PublicKeyTypes) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def signed(**params: object) -> dict[str, object]:
    params = {"apiKey": "demo-ed25519", "timestamp": START // MS} | params
    payload = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    return params | {"signature": base64.b64encode(KEY.sign(payload.encode())).decode()}


@pytest.fixture
def client() -> PureClient:
    return PureClient(FakeBinance(START, rate=0, symbols=("BTCUSDT",), public_key=pem(KEY.public_key())))


def call(client: PureClient, session: str, method: str, params: dict[str, object] | None = None) -> Any:
    before = len(client.sent.get(session, []))
    request = {"id": 1, "method": method, "params": params or {}}
    client.venue.receive(session, msgspec.json.encode(request).decode(), client.now)
    client.wait(0)
    return client.frames(session)[before]


def test_who_has_logged_on_needs_no_signature_until_he_logs_out(client: PureClient) -> None:
    session = client.connect("/ws-api/v3")
    logon = call(client, session, "session.logon", signed())
    assert logon["result"] == {
        "apiKey": "demo-ed25519",
        "authorizedSince": START // MS,
        "connectedSince": START // MS,
        "returnRateLimits": True,
        "serverTime": START // MS,
        "userDataStream": False,
    }
    placed = call(client, session, "order.place", ORDER | {"timestamp": START // MS})
    assert (placed["status"], placed["result"]["status"]) == (200, "NEW")
    assert call(client, session, "session.status")["result"]["apiKey"] == "demo-ed25519"
    assert call(client, session, "session.logout")["result"]["apiKey"] is None
    refused = call(client, session, "order.place", ORDER | {"timestamp": START // MS})
    assert (refused["status"], refused["error"]["code"]) == (400, -1102)


def test_the_logons_subscription_ends_with_it_and_the_signed_one_stays(client: PureClient) -> None:
    session = client.connect("/ws-api/v3")
    assert call(client, session, "userDataStream.subscribe")["error"]["code"] == -1002
    call(client, session, "session.logon", signed())
    assert call(client, session, "userDataStream.subscribe")["result"] == {"subscriptionId": 0}
    assert call(client, session, "userDataStream.subscribe")["error"]["code"] == -2035
    assert client.call(session, "userDataStream.subscribe.signature")["result"] == {"subscriptionId": 1}
    call(client, session, "order.place", ORDER | {"timestamp": START // MS})
    assert client.frames(session)[-1]["subscriptionId"] == 0
    call(client, session, "session.logout")
    ended = [frame for frame in client.frames(session) if frame.get("event", {}).get("e") == "eventStreamTerminated"]
    assert [frame["subscriptionId"] for frame in ended] == [0]
    assert call(client, session, "session.subscriptions")["result"] == [{"subscriptionId": 1}]


def test_a_logon_with_another_key_is_refused(client: PureClient) -> None:
    session = client.connect("/ws-api/v3")
    assert client.call(session, "session.logon")["error"] == {
        "code": -4056,
        "msg": "HMAC_SHA256 API key is not supported.",
    }
    changed = signed() | {"timestamp": START // MS + 1}
    assert call(client, session, "session.logon", changed)["error"]["code"] == -1022
    assert call(client, session, "session.logon", signed() | {"signature": "no base64"})["error"]["code"] == -1022


def test_requests_by_rest_are_signed_with_ed25519_too(client: PureClient) -> None:
    query = f"omitZeroBalances=true&timestamp={START // MS}"
    signature = base64.b64encode(KEY.sign(query.encode())).decode().replace("+", "%2B")
    headers = {"X-MBX-APIKEY": "demo-ed25519"}
    for sent, status in ((signature, 200), (signature[:-8] + "AAAAAA==", 400)):
        reply = client.venue.http("GET", HOST, "/api/v3/account", f"{query}&signature={sent}", headers, "", client.now)
        assert reply.status == status


@pytest.mark.slow
def test_an_rsa_key_signs_requests_and_cannot_log_on() -> None:
    private = generate_private_key(65537, 2048)
    key = load_public_key(pem(private.public_key()))
    signature = base64.b64encode(private.sign(b"payload", PKCS1v15(), SHA256())).decode()
    assert key.verifies(signature, b"payload")
    assert not key.verifies(signature, b"another")
    client = PureClient(FakeBinance(START, rate=0, public_key=pem(private.public_key())))
    params = f"apiKey=demo-ed25519&timestamp={START // MS}"
    signature = base64.b64encode(private.sign(params.encode(), PKCS1v15(), SHA256())).decode()
    session = client.connect("/ws-api/v3")
    message = {"apiKey": "demo-ed25519", "timestamp": START // MS, "signature": signature}
    assert call(client, session, "session.logon", message)["error"]["code"] == -4056


def test_something_that_is_no_key_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="not a public key in PEM"):
        FakeBinance(START, public_key="-----BEGIN PUBLIC KEY-----")


# ---- microseconds


def test_times_come_in_microseconds_to_who_asks(client: PureClient) -> None:
    fast = client.connect("/stream?streams=btcusdt@trade&timeUnit=MICROSECOND")
    plain = client.connect("/ws/btcusdt@trade")
    client.order(side="BUY", type="MARKET", quantity="0.01")
    in_us, in_ms = client.frames(fast)[0]["data"], client.frames(plain)[0]
    assert (in_us["E"], in_us["T"]) == (START // 1_000, START // 1_000)
    assert in_us | {"E": in_ms["E"], "T": in_ms["T"]} == in_ms
    reply = client.venue.http("GET", HOST, "/api/v3/time", "", {"X-MBX-TIME-UNIT": "microsecond"}, "", client.now)
    assert msgspec.json.decode(reply.body) == {"serverTime": START // 1_000}
    session = client.connect("/ws-api/v3?timeUnit=microsecond")
    assert call(client, session, "time")["result"] == {"serverTime": START // 1_000}


def test_a_time_unit_that_does_not_exist_is_refused(client: PureClient) -> None:
    refused = client.venue.connect(HOST, "/ws?timeUnit=HOUR", client.now)
    assert not isinstance(refused, str)
    assert (refused.status, msgspec.json.decode(refused.body)["code"]) == (400, -1194)


# ---- bans


def test_each_ban_is_twice_as_long_as_the_last_up_to_three_days() -> None:
    client = PureClient(FakeBinance(START, rate=0, symbols=("BTCUSDT",), weight_limit=10))
    bans = []
    for _ in range(13):
        while (reply := client.http("GET", "/api/v3/ping")).status != 418:
            pass
        bans.append(int(reply.headers["Retry-After"]))
        client.now += bans[-1] * NS_PER_S
    assert bans[:4] == [120, 240, 480, 960]
    assert bans[-1] == 259_200


def test_a_limited_request_on_a_socket_says_when_to_come_again() -> None:
    client = PureClient(FakeBinance(START, rate=0, symbols=("BTCUSDT",), weight_limit=10))
    session = client.connect("/ws-api/v3")
    while (answer := call(client, session, "ping"))["status"] == 200:
        pass
    data = answer["error"]["data"]
    assert (answer["status"], answer["error"]["code"]) == (429, -1003)
    assert data == {"serverTime": START // MS, "retryAfter": START // MS + 40_000}
