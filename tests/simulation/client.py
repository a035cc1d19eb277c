"""A plain client of the fake venue, signing as the venue's documentation says; for tests over real sockets."""

import hashlib
import hmac
import json
import time
from types import TracebackType
from typing import Any, Self

import aiohttp

KEY, SECRET = "demo-key", "demo-secret"


def signature(payload: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Client:
    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._http = aiohttp.ClientSession()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def request(
        self, method: str, path: str, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, dict[str, str]]:
        """(status, body, headers) of an unsigned request; `path` with its query."""
        async with self._http.request(method, self._base + path, headers=headers) as answer:
            return answer.status, json.loads(await answer.text()), dict(answer.headers)

    async def get(self, path: str) -> Any:
        status, body, _ = await self.request("GET", path)
        assert status == 200, body
        return body

    async def signed(self, method: str, path: str, **params: object) -> tuple[int, Any, dict[str, str]]:
        query = "&".join(f"{name}={value}" for name, value in ({"timestamp": now_ms()} | params).items())
        return await self.request(method, f"{path}?{query}&signature={signature(query)}", {"X-MBX-APIKEY": KEY})

    async def order(self, **params: object) -> tuple[int, Any]:
        status, body, _ = await self.signed("POST", "/api/v3/order", **params)
        return status, body

    async def fault(self, **fields: object) -> None:
        async with self._http.post(f"{self._base}/fake/faults", json=fields) as answer:
            assert answer.status == 200, await answer.text()

    async def no_faults(self) -> None:
        status, _, _ = await self.request("DELETE", "/fake/faults")
        assert status == 200

    async def raw_socket(self, path: str) -> aiohttp.ClientWebSocketResponse:
        """It answers no ping by itself and shows those that come."""
        return await self._http.ws_connect(self._base + path, autoping=False)

    async def socket(self, path: str) -> "Socket":
        return Socket(await self._http.ws_connect(self._base + path, max_msg_size=0))


class Socket:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.raw = socket

    async def send(self, message: object) -> None:
        await self.raw.send_str(json.dumps(message))

    async def receive(self) -> Any:
        return json.loads(await self.raw.receive_str(timeout=60))

    async def call(self, method: str, **params: object) -> Any:
        """One unsigned WebSocket API request and its answer."""
        await self.send({"id": 1, "method": method, "params": params})
        return await self.receive()

    async def call_signed(self, method: str, **params: object) -> Any:
        params = {"apiKey": KEY, "timestamp": now_ms()} | params
        payload = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
        return await self.call(method, **params, signature=signature(payload))
