"""How a host comes to its certificate: it asks with a key of its own, and whoever starts it signs."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator

from runtime.transport.tls.authority import LIFETIME_S, Authority


class Enrolment:
    """One host, as whoever starts it reaches it. No private key is in what goes to and fro."""

    def __init__(
        self,
        authority: Authority,
        name: str,
        ask: Callable[[], Awaitable[tuple[bytes, str]]],
        install: Callable[[bytes, bytes], Awaitable[None]],
    ) -> None:
        """`ask` returns a request for a certificate and the address of the host's machine."""
        self._authority = authority
        self._name = name
        self._ask = ask
        self._install = install

    async def certify(self, lifetime_s: float = LIFETIME_S) -> None:
        request, ip = await self._ask()
        await self._install(self._authority.sign(request, self._name, ip, lifetime_s), self._authority.pem)

    @contextlib.contextmanager
    def renewing(self, lifetime_s: float = LIFETIME_S) -> Iterator[None]:
        """While it is entered the host's certificate never ends."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(lifetime_s / 2)
                await self.certify(lifetime_s)

        task = asyncio.get_running_loop().create_task(renew())
        try:
            yield
        finally:
            task.cancel()
