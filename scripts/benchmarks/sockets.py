"""Settings of a WebSocket's own TCP socket."""

import socket

from picows import WSTransport


def send_at_once(transport: WSTransport) -> None:
    """Never hold back a small frame for the peer's acknowledgement of the one before (Nagle's algorithm)."""
    transport.underlying_transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
