"""How streams are opened: over unix sockets, or in memory under a virtual clock; between machines by `tls`."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Protocol

from runtime.address import Address, StreamKind
from runtime.errors import Bug, ConfigError

ProtocolFactory = Callable[[], asyncio.Protocol]
OnRefused = Callable[[str, str], None]
"""(who, why): somebody who does not belong to the run wanted to connect."""
UNIX_PATH_MAX_BYTES = 107


class Listener(Protocol):
    def close(self) -> None: ...


class Network(Protocol):
    """Opens both ends of streams; the protocol's `connection_made` and `connection_lost` tell the rest."""

    @property
    def machine(self) -> str:
        """Hosts with the same one reach each other's `endpoint`."""
        ...

    @property
    def tcp(self) -> str:
        """Where hosts of other machines dial what listens here, `ip:port`; "" if they cannot."""
        ...

    async def listen(self, endpoint: str, factory: ProtocolFactory, on_refused: OnRefused) -> Listener: ...

    async def dial(self, address: Address, factory: ProtocolFactory) -> None:
        """Raises `OSError` when nobody listens there."""
        ...


class UnixNetwork:
    """Unix sockets on one machine."""

    machine = tcp = ""

    async def listen(self, endpoint: str, factory: ProtocolFactory, on_refused: OnRefused) -> Listener:
        if len(os.fsencode(endpoint)) > UNIX_PATH_MAX_BYTES:
            raise ConfigError(
                f"{endpoint}: the path of a unix socket ends at {UNIX_PATH_MAX_BYTES} bytes; choose a shorter folder"
            )
        with contextlib.suppress(FileNotFoundError):
            os.unlink(endpoint)
        return await asyncio.get_running_loop().create_unix_server(factory, endpoint)

    async def dial(self, address: Address, factory: ProtocolFactory) -> None:
        if address.kind is not StreamKind.UNIX:
            raise Bug(f"{address.actor}: this host opens unix streams only, not {address.kind.value}")
        await asyncio.get_running_loop().create_unix_connection(factory, address.endpoint)


class _MemoryTransport(asyncio.Transport):
    """One end of a pipe in memory: writes reach the other end's protocol in a later turn of the loop, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._loop = loop
        self._protocol = protocol
        self._reading = True
        self._held: list[bytes] = []
        self._closed = False
        self.peer: _MemoryTransport | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._closed and self.peer is not None:
            self._loop.call_soon(self.peer._arrive, bytes(data))

    def _arrive(self, data: bytes) -> None:
        self._held.append(data)
        self._deliver()

    def _deliver(self) -> None:
        while self._held and self._reading and not self._closed:
            self._protocol.data_received(self._held.pop(0))

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._loop.call_soon(self._deliver)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        if not self._closed:
            self._loop.call_soon(self._end)
            if self.peer is not None:
                self._loop.call_soon(self.peer._end)

    def abort(self) -> None:
        self.close()

    def _end(self) -> None:
        if not self._closed:
            self._closed = True
            self._protocol.connection_lost(None)


class MemoryNetwork:
    """All hosts in one process: endpoints are names in a dict."""

    machine = tcp = ""

    def __init__(self) -> None:
        self._listening: dict[str, ProtocolFactory] = {}

    async def listen(self, endpoint: str, factory: ProtocolFactory, on_refused: OnRefused) -> Listener:
        self._listening[endpoint] = factory
        return _MemoryListener(self._listening, endpoint)

    async def dial(self, address: Address, factory: ProtocolFactory) -> None:
        server_factory = self._listening.get(address.endpoint)
        if server_factory is None:
            raise ConnectionRefusedError(address.endpoint)
        loop = asyncio.get_running_loop()
        client, server = factory(), server_factory()
        near, far = _MemoryTransport(loop, client), _MemoryTransport(loop, server)
        near.peer, far.peer = far, near
        server.connection_made(far)
        client.connection_made(near)


class _MemoryListener:
    def __init__(self, listening: dict[str, ProtocolFactory], endpoint: str) -> None:
        self._listening = listening
        self._endpoint = endpoint

    def close(self) -> None:
        self._listening.pop(self._endpoint, None)
