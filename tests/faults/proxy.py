"""A proxy between connectors and a venue: many ways through it, each with faults of its own seed.

`http://127.0.0.1:<port>/<way>/…` and `ws://…` lead to the same path at the venue. Faults are of whole frames and
answers; a cut ends the connection within one, a freeze leaves it open and silent for good.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import WSMsgType, web

from runtime.clock import NS_PER_S
from tests.faults.faults import REFUSAL_BODY, AnswerFault, Faults, FrameFault, FrameFaults

HALF_A_FRAME = b'\x81\x7e\x01\x00{"stream":"btcusdt@de'
"""A text frame of 256 bytes, and no more than its beginning."""
HALF_AN_ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{"lastUpdateId":'


class Proxy:
    """`ways` by name. `on_answer(path, body)` gets each answer of the venue as it was."""

    def __init__(self, venue: str, ways: dict[str, Faults], on_answer: Callable[[str, bytes], None]) -> None:
        self.port = 0
        self._venue = venue
        self._ways = ways
        self._on_answer = on_answer
        self._answers: dict[tuple[str, str], tuple[int, bytes]] = {}
        """The first answer on each way to each path."""
        self._client: aiohttp.ClientSession

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Proxy"]:
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=1.0)
        async with aiohttp.ClientSession(auto_decompress=False) as self._client:
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                self.port = runner.addresses[0][1]
                yield self
            finally:
                await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        _, way, path = request.raw_path.split("/", 2)
        faults = self._ways[way]
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._converse(request, f"{self._venue}/{path}", faults)
        return await self._answer(request, way, path, faults)

    # ---- requests

    async def _answer(self, request: web.BaseRequest, way: str, path: str, faults: Faults) -> web.StreamResponse:
        async with self._client.get(f"{self._venue}/{path}") as answered:
            status, body = answered.status, await answered.read()
        self._on_answer(path, body)
        self._answers.setdefault((way, path), (status, body))
        headers: dict[str, str] = {}
        match faults.of_answer():
            case None:
                pass
            case AnswerFault.CORRUPT:
                body = faults.corrupt(body)
            case AnswerFault.CUT:
                return _cut(request, HALF_AN_ANSWER)
            case AnswerFault.REFUSE:
                status, headers = faults.refusal()
                body = REFUSAL_BODY
            case AnswerFault.DELAY:
                await asyncio.sleep(faults.delay_ns() / NS_PER_S)
            case AnswerFault.OUTDATED:
                status, body = self._answers[way, path]
        return web.Response(status=status, body=body, headers=headers, content_type="application/json")

    # ---- links

    async def _converse(self, request: web.BaseRequest, url: str, faults: Faults) -> web.StreamResponse:
        client = web.WebSocketResponse(autoping=False, compress=False)
        await client.prepare(request)
        async with self._client.ws_connect(url) as venue:
            up = asyncio.create_task(_pass_on(client, venue))
            try:
                await self._deliver(request, client, venue, FrameFaults(faults))
            finally:
                up.cancel()
        return client

    async def _deliver(
        self,
        request: web.BaseRequest,
        client: web.WebSocketResponse,
        venue: aiohttp.ClientWebSocketResponse,
        faults: FrameFaults,
    ) -> None:
        frozen = False
        async for message in venue:
            if message.type is not WSMsgType.TEXT or client.closed:
                return
            if frozen:
                continue
            passed, ended = faults.pass_on(message.data.encode())
            if ended is FrameFault.CUT:
                _cut(request, HALF_A_FRAME)
                return
            frozen = ended is FrameFault.FREEZE
            for payload in passed:
                await client.send_frame(payload, WSMsgType.TEXT)


async def _pass_on(client: web.WebSocketResponse, venue: aiohttp.ClientWebSocketResponse) -> None:
    """What the client sends; when it has gone, so is the connection to the venue."""
    async for message in client:
        if message.type is not WSMsgType.TEXT:
            break
        await venue.send_str(message.data)
    await venue.close()


def _cut(request: web.BaseRequest, last: bytes) -> web.StreamResponse:
    transport = request.transport
    if transport is not None:
        transport.write(last)
        transport.abort()
    return web.Response()
