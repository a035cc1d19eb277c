"""HTTP requests on one aiohttp session: no redirects, no cookies, and an honest word on whether a request was sent."""

import ssl

import aiohttp
from yarl import URL

from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import NS_PER_S, Clock

CONNECT_TIMEOUT_S = 5.0
CONNECTIONS = 100
KEEP_ALIVE_S = 60.0

FAILURES: tuple[tuple[type[BaseException], bool, str], ...] = (
    (aiohttp.ConnectionTimeoutError, False, "timeout while connecting"),
    (aiohttp.ClientConnectorDNSError, False, "name not found"),
    (aiohttp.ClientConnectorCertificateError, False, "certificate not trusted"),
    (aiohttp.ClientConnectorError, False, "cannot connect"),
    (aiohttp.InvalidURL, False, "address not usable"),
    (TimeoutError, True, "timeout"),
    (aiohttp.ServerDisconnectedError, True, "connection closed before the answer"),
    (aiohttp.ClientPayloadError, True, "answer cut off"),
    (aiohttp.ClientResponseError, True, "answer not understood"),
    (aiohttp.ClientError, True, "network failed"),
    (OSError, True, "network failed"),
    (ValueError, False, "request not usable"),
)
"""Every way in which a request can fail: (class, may have been sent, words); the first that fits."""


class HttpClient:
    """One pool of connections for everybody in the process."""

    def __init__(self, clock: Clock, tls: ssl.SSLContext) -> None:
        self._clock = clock
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def request(self, request: HttpRequest) -> HttpAnswered | HttpFailed:
        total_s = request.timeout_ns / NS_PER_S
        try:
            async with self._session.request(
                request.method,
                URL(request.url, encoded=True),
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=total_s, sock_connect=min(total_s, CONNECT_TIMEOUT_S)),
            ) as response:
                body = await response.read()
                headers = {name.lower(): value for name, value in response.headers.items()}
                return HttpAnswered(request.id, response.status, headers, body, self._clock.now())
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return failed(request.id, error)

    async def close(self) -> None:
        await self._session.close()


def failed(request_id: str, error: Exception) -> HttpFailed:
    """The reason names no address: a signed one is a secret."""
    sent, words = next((sent, words) for kind, sent, words in FAILURES if isinstance(error, kind))
    detail = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return HttpFailed(request_id, f"{words}: {detail}", sent)
