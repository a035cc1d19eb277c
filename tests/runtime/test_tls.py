"""Streams between machines: who belongs to the run gets in, everybody else is refused and disturbs nobody."""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import pytest
import uvloop

from runtime.address import Address, StreamKind
from runtime.errors import ConfigError, Unavailable
from runtime.transport.network import Listener
from runtime.transport.tls.authority import Authority
from runtime.transport.tls.enrolment import Enrolment
from runtime.transport.tls.identity import Identity
from runtime.transport.tls.network import ClusterNetwork
from tests.runtime.tls import IP, member


class Echo(asyncio.Protocol):
    """Sends back what it receives."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


class Heard(asyncio.Protocol):
    """Greets at once, as a stream does, and keeps what comes back."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes | None] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(b"hello")

    def data_received(self, data: bytes) -> None:
        self.heard.put_nowait(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.heard.put_nowait(None)


class World:
    """One host that listens, and those who dial it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority.create(folder, "run-1")
        self.refused: list[str] = []
        self.refusal = asyncio.Event()
        self._network = ClusterNetwork("here", IP, [0], member(self.authority, "listener"))
        self._listener: Listener | None = None

    async def listen(self) -> None:
        self._listener = await self._network.listen(str(self.folder / "s"), Echo, self._refused)

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    def _refused(self, peer: str, reason: str) -> None:
        assert peer.startswith("127.0.0.1:")
        self.refused.append(reason)
        self.refusal.set()

    @property
    def address(self) -> Address:
        return Address("a", 1, StreamKind.TCP, str(self.folder / "s"), "listener", "here", self._network.tcp)

    @property
    def port(self) -> int:
        return int(self._network.tcp.rpartition(":")[2])

    async def answer(self, identity: Identity, machine: str = "there") -> bytes | None:
        """What comes back to somebody who greets with that identity: None for the end of the connection."""
        heard = Heard()
        try:
            await ClusterNetwork(machine, IP, [0], identity).dial(self.address, lambda: heard)
        except OSError:
            return None
        async with asyncio.timeout(60):
            answer = await heard.heard.get()
        heard.transport.close()
        return answer

    async def refuses(self, identity: Identity) -> str:
        """The reason; those who belong to the run still get an answer."""
        self.refusal.clear()
        assert await self.answer(identity) is None
        return await self.why()

    async def why(self) -> str:
        async with asyncio.timeout(60):
            await self.refusal.wait()
        assert await self.answer(member(self.authority, "friend")) == b"hello"
        return self.refused[-1]


Scenario = Callable[[World], Coroutine[Any, Any, None]]
Play = Callable[[Scenario], None]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    async def main(scenario: Scenario) -> None:
        world = World(tmp_path)
        await world.listen()
        try:
            await asyncio.wait_for(scenario(world), 180)
        finally:
            world.close()

    return lambda scenario: uvloop.run(main(scenario))


def test_members_of_a_run_talk_over_tls_1_3(play: Play) -> None:
    async def scenario(world: World) -> None:
        seen: list[str] = []

        class Look(Heard):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                seen.append(transport.get_extra_info("ssl_object").version())
                super().connection_made(transport)

        heard = Look()
        await ClusterNetwork("there", IP, [0], member(world.authority, "x")).dial(world.address, lambda: heard)
        assert await heard.heard.get() == b"hello"
        assert seen == ["TLSv1.3"]
        assert world.refused == []
        heard.transport.close()

    play(scenario)


def test_who_is_on_the_same_machine_takes_the_unix_socket(play: Play) -> None:
    async def scenario(world: World) -> None:
        heard = Heard()
        await ClusterNetwork("here", IP, [0], member(world.authority, "x")).dial(world.address, lambda: heard)
        assert heard.transport.get_extra_info("socket").family == socket.AF_UNIX
        assert await heard.heard.get() == b"hello"
        heard.transport.close()

    play(scenario)


def test_a_stranger_without_a_certificate_is_refused(play: Play) -> None:
    async def scenario(world: World) -> None:
        nobody = Identity()
        nobody.client.load_verify_locations(cadata=world.authority.pem.decode())
        assert "PEER_DID_NOT_RETURN_A_CERTIFICATE" in await world.refuses(nobody)

    play(scenario)


def test_an_expired_certificate_is_refused(play: Play) -> None:
    async def scenario(world: World) -> None:
        assert "certificate has expired" in await world.refuses(member(world.authority, "late", -1))

    play(scenario)


def test_a_certificate_of_another_runs_authority_is_refused(play: Play, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        (tmp_path / "other").mkdir()
        other = Authority.create(tmp_path / "other", "run-1")
        foreign = Identity()
        foreign.install(other.sign(foreign.request(), "friend", IP), world.authority.pem)
        assert "CERTIFICATE_VERIFY_FAILED" in await world.refuses(foreign)

    play(scenario)


def test_what_is_no_tls_at_all_is_refused(play: Play) -> None:
    async def scenario(world: World) -> None:
        for payload in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), b""):
            world.refusal.clear()
            _, writer = await asyncio.open_connection(IP, world.port)
            writer.write(payload)
            writer.close()
            await writer.wait_closed()
            await world.why()
        assert len(world.refused) == 3

    play(scenario)


def test_strangers_who_say_nothing_do_not_keep_members_out_for_long(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.transport.tls.network.MOST_STRANGERS", 3)
    monkeypatch.setattr("runtime.transport.tls.network.HANDSHAKE_S", 0.5)

    async def scenario(world: World) -> None:
        writers = [(await asyncio.open_connection(IP, world.port))[1] for _ in range(5)]
        async with asyncio.timeout(60):
            while len(world.refused) < 5:
                await asyncio.sleep(0.02)
        assert world.refused.count("too many connections without a certificate") == 2
        assert await world.answer(member(world.authority, "friend")) == b"hello"
        for writer in writers:
            writer.close()

    play(scenario)


def test_an_older_tls_is_refused(play: Play) -> None:
    async def scenario(world: World) -> None:
        old = member(world.authority, "old")
        old.client.minimum_version = ssl.TLSVersion.TLSv1_2
        old.client.maximum_version = ssl.TLSVersion.TLSv1_2
        assert "PROTOCOL" in await world.refuses(old)

    play(scenario)


def test_a_host_is_not_taken_for_one_at_another_address(play: Play) -> None:
    async def scenario(world: World) -> None:
        elsewhere = Identity()
        elsewhere.install(world.authority.sign(elsewhere.request(), "moved", "10.9.8.7"), world.authority.pem)
        network = ClusterNetwork("moved", IP, [0], elsewhere)
        listener = await network.listen(str(world.folder / "t"), Echo, lambda peer, reason: None)
        address = Address("a", 1, StreamKind.TCP, "", "moved", "moved", network.tcp)
        caller = ClusterNetwork("there", IP, [0], member(world.authority, "caller"))
        with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
            await caller.dial(address, Heard)
        listener.close()

    play(scenario)


def test_a_new_certificate_takes_the_place_of_one_that_is_over(play: Play) -> None:
    async def scenario(world: World) -> None:
        identity = member(world.authority, "late", -1)
        assert "expired" in await world.refuses(identity)
        identity.install(world.authority.sign(identity.request(), "late", IP), world.authority.pem)
        assert await world.answer(identity) == b"hello"

    play(scenario)


def test_a_certificate_is_renewed_before_it_ends_and_no_key_travels(play: Play) -> None:
    async def scenario(world: World) -> None:
        identity, sent = Identity(), list[bytes]()

        async def ask() -> tuple[bytes, str]:
            sent.append(identity.request())
            return sent[-1], IP

        async def install(certificate: bytes, authority: bytes) -> None:
            sent.extend((certificate, authority))
            identity.install(certificate, authority)

        enrolment = Enrolment(world.authority, "x", ask, install)
        await enrolment.certify(lifetime_s=2)
        with enrolment.renewing(lifetime_s=2):
            await asyncio.sleep(2.5)  # the first one is over by then
            while await world.answer(identity) != b"hello" or len(sent) < 9:
                await asyncio.sleep(0.1)
        assert "expired" in await world.refuses(member(world.authority, "late", -1))
        assert not any(b"PRIVATE" in what for what in sent)

    play(scenario)


def test_a_taken_port_is_passed_over_and_none_left_is_said(play: Play) -> None:
    async def scenario(world: World) -> None:
        identity = member(world.authority, "second")
        with pytest.raises(Unavailable, match=f"none of the ports {world.port} to {world.port} of 127.0.0.1 is free"):
            await ClusterNetwork("x", IP, [world.port], identity).listen(str(world.folder / "t"), Echo, lambda *_: None)
        network = ClusterNetwork("x", IP, [world.port, 0], identity)
        listener = await network.listen(str(world.folder / "t"), Echo, lambda *_: None)
        assert network.tcp != f"{IP}:{world.port}"
        listener.close()

    play(scenario)


def test_the_authoritys_key_is_for_its_user_alone_and_no_other_key_is_on_disk(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path, "run-1")
    member(authority, "x")
    with_key = [file for file in tmp_path.iterdir() if b"PRIVATE KEY" in file.read_bytes()]
    assert [(file.name, file.stat().st_mode & 0o777) for file in with_key] == [("authority.key", 0o600)]
    reopened = Authority.open(tmp_path)
    identity = Identity()
    signed = reopened.sign(identity.request(), "y", IP)
    assert authority.has_signed(signed)
    assert b"PRIVATE" not in signed + identity.request() + authority.pem


def test_without_cryptography_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
    with pytest.raises(ConfigError, match=r"pip install 'openoutcry\[cluster\]'"):
        Identity()
