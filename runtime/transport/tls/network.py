"""Streams of a host in a cluster: unix sockets to those on its machine, TCP with mutual TLS 1.3 to all others.

Who does not show a certificate of the run's authority gets nothing but the end of its connection: no byte of it reaches
a stream, and everybody else goes on.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Sequence

from runtime.address import Address, StreamKind
from runtime.errors import Unavailable
from runtime.transport.network import Listener, OnRefused, ProtocolFactory, UnixNetwork
from runtime.transport.tls.identity import Identity

HANDSHAKE_S = 5.0
DIAL_S = 3.0
SILENCE_MS = 5_000
"""A connection on which nothing was acknowledged for so long is over."""
KEEPALIVE_S = 2
MOST_STRANGERS = 256
"""Connections that have not shown a certificate yet; one more is closed at once."""
RETRY_S = 1.0


class ClusterNetwork:
    def __init__(self, machine: str, ip: str, ports: Sequence[int], identity: Identity) -> None:
        """`machine` is the name by which hosts know who shares their unix sockets."""
        self.machine = machine
        self.tcp = ""
        self._ip = ip
        self._ports = ports
        self._identity = identity
        self._unix = UnixNetwork()

    async def listen(self, endpoint: str, factory: ProtocolFactory, on_refused: OnRefused) -> Listener:
        """Raises `Unavailable` when no port is free."""
        bound = self._bind()
        try:
            near = await self._unix.listen(endpoint, factory, on_refused)
        except BaseException:
            bound.close()
            raise
        self.tcp = f"{self._ip}:{bound.getsockname()[1]}"
        return _Listeners(near, _Door(bound, self._identity, factory, on_refused))

    async def dial(self, address: Address, factory: ProtocolFactory) -> None:
        if address.kind is StreamKind.UNIX or address.machine == self.machine:
            await asyncio.get_running_loop().create_unix_connection(factory, address.endpoint)
            return
        ip, _, port = address.tcp.rpartition(":")
        async with asyncio.timeout(DIAL_S):
            transport, _ = await asyncio.get_running_loop().create_connection(
                factory, ip, int(port), ssl=self._identity.client, server_hostname=ip
            )
        _tune(transport.get_extra_info("socket"))

    def _bind(self) -> socket.socket:
        """Hosts of a machine begin to look at different ports, so that they do not race for each."""
        first = os.getpid() % len(self._ports)
        for port in (*self._ports[first:], *self._ports[:first]):
            listening = socket.socket(socket.AF_INET6 if ":" in self._ip else socket.AF_INET)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind((self._ip, port))
                listening.listen(128)
            except OSError:
                listening.close()
                continue
            listening.setblocking(False)
            return listening
        raise Unavailable(f"none of the ports {self._ports[0]} to {self._ports[-1]} of {self._ip} is free")


class _Door:
    """Accepts TCP connections, and lets only those become streams whose certificate is right."""

    def __init__(
        self, listening: socket.socket, identity: Identity, factory: ProtocolFactory, on_refused: OnRefused
    ) -> None:
        self._listening = listening
        self._identity = identity
        self._factory = factory
        self._on_refused = on_refused
        self._loop = asyncio.get_running_loop()
        self._greetings: set[asyncio.Task[None]] = set()
        self._closed = False
        self._loop.add_reader(listening, self._accept)

    def close(self) -> None:
        self._closed = True
        self._loop.remove_reader(self._listening)
        self._listening.close()
        for greeting in self._greetings:
            greeting.cancel()

    def _accept(self) -> None:
        try:
            connection, address = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:
            self._loop.remove_reader(self._listening)  # no descriptor is left: it would be called again at once
            self._loop.call_later(RETRY_S, self._go_on)
            return
        peer = f"{address[0]}:{address[1]}"
        if len(self._greetings) >= MOST_STRANGERS:
            connection.close()
            self._on_refused(peer, "too many connections without a certificate")
            return
        connection.setblocking(False)
        greeting = self._loop.create_task(self._greet(connection, peer))
        self._greetings.add(greeting)
        greeting.add_done_callback(self._greetings.discard)

    def _go_on(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._listening, self._accept)

    async def _greet(self, connection: socket.socket, peer: str) -> None:
        _tune(connection)
        try:
            await self._loop.connect_accepted_socket(
                self._factory, connection, ssl=self._identity.server, ssl_handshake_timeout=HANDSHAKE_S
            )
        except OSError as error:
            connection.close()
            self._on_refused(peer, str(error) or type(error).__name__)


class _Listeners:
    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()


def _tune(connection: socket.socket) -> None:
    """A cable that was taken out shows after some seconds, not after the quarter of an hour that TCP takes."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_MS)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_S)
