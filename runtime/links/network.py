"""Links and requests over real sockets, on whatever asyncio loop is running."""

import asyncio
import ssl
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import Clock
from runtime.links.contract import Link, LinkEvents

if TYPE_CHECKING:
    from runtime.links.http import HttpClient
    from runtime.links.websocket import WebSocketLink


class NetworkIo:
    """One per host; owns its sockets. Trusts the system's authorities, or those that SSL_CERT_FILE names.

    picows and aiohttp take 0.07 and 0.27 s to import, so each is imported when it is first needed.
    """

    def __init__(
        self, clock: Clock, *, connect_timeout_s: float = 5.0, max_message_bytes: int = 64 * 1024 * 1024
    ) -> None:
        self._clock = clock
        self._connect_timeout_s = connect_timeout_s
        self._max_message_bytes = max_message_bytes
        self._links: dict[asyncio.Task[None], WebSocketLink] = {}
        self._requests: set[asyncio.Task[None]] = set()
        self._http: HttpClient | None = None

    def open_link(self, url: str, events: LinkEvents) -> Link:
        from runtime.links.websocket import WebSocketLimits, WebSocketLink

        limits = WebSocketLimits(self._connect_timeout_s, self._max_message_bytes)
        link = WebSocketLink(url, events, self._clock, limits)
        task = asyncio.get_running_loop().create_task(link.run(self._tls if url.startswith("wss:") else None))
        self._links[task] = link
        task.add_done_callback(self._links.pop)
        return link

    def request(self, request: HttpRequest, done: Callable[[HttpAnswered | HttpFailed], None]) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(request, done))
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    async def close(self) -> None:
        for link in self._links.values():
            link.close()
        for task in self._requests:
            task.cancel()
        if ending := [*self._links, *self._requests]:
            _, stuck = await asyncio.wait(ending, timeout=2 * self._connect_timeout_s)
            for task in stuck:
                task.cancel()
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def _answer(self, request: HttpRequest, done: Callable[[HttpAnswered | HttpFailed], None]) -> None:
        if self._http is None:
            from runtime.links.http import HttpClient

            self._http = HttpClient(self._clock, self._tls)
        done(await self._http.request(request))

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()
