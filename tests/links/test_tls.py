"""TLS: a private authority is trusted through SSL_CERT_FILE, a stranger's certificate is not."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.asyncio.server import serve

from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import WallClock
from runtime.links import NetworkIo
from tests.links.recorder import RecordedEvents
from tests.links.test_websocket import echo


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "venue")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "venue.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return path


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@asynccontextmanager
async def secure_server(certificate: Path) -> AsyncIterator[tuple[str, str]]:
    """Addresses of a WebSocket echo and of an HTTP server behind the certificate."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="ok")

    context = server_context(certificate)
    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        async with serve(echo, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            yield f"wss://127.0.0.1:{port}/", f"https://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def ask(io: NetworkIo, url: str) -> HttpAnswered | HttpFailed:
    answer: asyncio.Future[HttpAnswered | HttpFailed] = asyncio.get_running_loop().create_future()
    io.request(HttpRequest("1", "GET", url), answer.set_result)
    async with asyncio.timeout(60):
        return await answer


async def test_a_private_authority_is_trusted_through_the_environment(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with secure_server(certificate) as (socket_url, http_url):
        io = NetworkIo(WallClock())
        events = RecordedEvents()
        link = io.open_link(socket_url, events)
        await events.until("up")
        link.send(b"hello")
        await events.until(b"hello")
        answered = await ask(io, http_url)
        await io.close()
    assert isinstance(answered, HttpAnswered)
    assert answered.body == b"ok"


async def test_a_certificate_of_a_stranger_is_not_trusted(certificate: Path) -> None:
    async with secure_server(certificate) as (socket_url, http_url):
        io = NetworkIo(WallClock())
        events = RecordedEvents()
        io.open_link(socket_url, events)
        assert (await events.until_down()).startswith("certificate not trusted: self-signed certificate")
        failed = await ask(io, http_url)
        await io.close()
    assert isinstance(failed, HttpFailed)
    assert failed.sent is False
    assert failed.reason.startswith("certificate not trusted")
