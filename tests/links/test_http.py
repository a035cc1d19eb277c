"""HTTP requests against a real server on the loopback interface."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import WallClock
from runtime.links import NetworkIo
from runtime.links.http import FAILURES


@asynccontextmanager
async def server(answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def ask(io: NetworkIo, request: HttpRequest) -> HttpAnswered | HttpFailed:
    answer: asyncio.Future[HttpAnswered | HttpFailed] = asyncio.get_running_loop().create_future()
    io.request(request, answer.set_result)
    assert not answer.done()
    async with asyncio.timeout(60):
        return await answer


async def test_an_answer_carries_status_lower_case_headers_and_body() -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        assert request.method == "POST"
        assert request.headers["X-Mbx-Apikey"] == "k"
        return web.Response(status=418, body=await request.read(), headers={"X-Used-Weight": "12"})

    async with server(answer) as url:
        io = NetworkIo(WallClock())
        answered = await ask(io, HttpRequest("7", "POST", url + "/order", {"X-MBX-APIKEY": "k"}, b"a=1"))
        await io.close()
    assert isinstance(answered, HttpAnswered)
    assert (answered.id, answered.status, answered.body) == ("7", 418, b"a=1")
    assert answered.headers["x-used-weight"] == "12"
    assert answered.ts_recv > 0


async def test_a_signed_address_is_sent_byte_for_byte() -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=request.raw_path)

    async with server(answer) as url:
        io = NetworkIo(WallClock())
        answered = await ask(io, HttpRequest("1", "GET", url + "/o?s=%E5%B8%81&t=a%2Fb+c&signature=00ff"))
        await io.close()
    assert isinstance(answered, HttpAnswered)
    assert answered.body == b"/o?s=%E5%B8%81&t=a%2Fb+c&signature=00ff"


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with server(answer) as url:
        io = NetworkIo(WallClock())
        answered = await ask(io, HttpRequest("1", "GET", url))
        await io.close()
    assert isinstance(answered, HttpAnswered)
    assert (answered.status, answered.headers["location"]) == (302, "/elsewhere")


async def test_a_refused_connection_was_certainly_not_sent() -> None:
    io = NetworkIo(WallClock())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        failed = await ask(io, HttpRequest("1", "GET", f"http://127.0.0.1:{taken.getsockname()[1]}/?signature=s"))
    await io.close()
    assert isinstance(failed, HttpFailed)
    assert failed.sent is False
    assert failed.reason.startswith("cannot connect: ")
    assert "signature" not in failed.reason


async def test_an_unusable_address_was_certainly_not_sent() -> None:
    io = NetworkIo(WallClock())
    failed = await ask(io, HttpRequest("1", "GET", "nonsense"))
    await io.close()
    assert isinstance(failed, HttpFailed)
    assert failed.sent is False


async def test_a_timeout_leaves_the_outcome_open() -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with server(answer) as url:
        io = NetworkIo(WallClock())
        failed = await ask(io, HttpRequest("1", "POST", url, timeout_ns=50_000_000))
        await io.close()
    assert isinstance(failed, HttpFailed)
    assert failed == HttpFailed("1", "timeout: TimeoutError", True)


async def test_a_connection_closed_before_the_answer_leaves_the_outcome_open() -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with server(answer) as url:
        io = NetworkIo(WallClock())
        failed = await ask(io, HttpRequest("1", "POST", url))
        await io.close()
    assert isinstance(failed, HttpFailed)
    assert failed.sent is True


async def test_requests_given_up_at_the_end_are_not_answered() -> None:
    started = asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with server(answer) as url:
        io = NetworkIo(WallClock())
        answers: list[HttpAnswered | HttpFailed] = []
        io.request(HttpRequest("1", "GET", url), answers.append)
        async with asyncio.timeout(60):
            await started.wait()
        await io.close()
    assert answers == []


def test_every_exception_of_aiohttp_has_words() -> None:
    foreign = [kind for kind in vars(aiohttp).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    raised_by_requests = [kind for kind in foreign if issubclass(kind, aiohttp.ClientError | OSError | ValueError)]
    assert aiohttp.ClientPayloadError in raised_by_requests
    assert all(any(issubclass(kind, known) for known, _, _ in FAILURES) for kind in raised_by_requests)
