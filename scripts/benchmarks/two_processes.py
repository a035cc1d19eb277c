"""Reference: a connector and a strategy in two processes, MessagePack over ZeroMQ on a unix socket.

Trades go by PUSH and PULL without a limit; the strategy's process blocks in `recv`, the fastest way measured. Orders
come back by a second pair, whose descriptor is watched by the connector's loop; the connector signs and sends.
"""

import asyncio
from pathlib import Path

import msgspec
import uvloop
import zmq

from actors.messages import Trade
from scripts.benchmarks.contender import Surroundings
from scripts.benchmarks.market import read_trade
from scripts.benchmarks.probe import Probe
from scripts.benchmarks.processes import Child, arguments, exit_with_parent, report_ready
from scripts.benchmarks.reference_links import OrderLink, connect


class TwoProcesses:
    name = "two_processes"
    title = "two processes"
    flood_count = 200_000

    def __init__(self) -> None:
        self._children: list[Child] = []

    async def start(self, surroundings: Surroundings) -> None:
        results = surroundings.results
        trades, orders = f"ipc://{results}/trades", f"ipc://{results}/orders"
        for role in ("strategy", "connector"):
            self._children.append(
                await Child.start(
                    __name__,
                    role=role,
                    stream_url=surroundings.stream_url,
                    results=str(results),
                    trades=trades,
                    orders=orders,
                )
            )

    async def stop(self) -> None:
        for child in reversed(self._children):
            await child.stop()


def run_strategy(results: str, trades: str, orders: str) -> None:
    context = zmq.Context()
    receiver, sender = _socket(context, zmq.PULL), _socket(context, zmq.PUSH)
    receiver.bind(trades)
    sender.connect(orders)
    probe = Probe(Path(results), lambda price: sender.send(msgspec.msgpack.encode(price)))
    decode = msgspec.msgpack.Decoder(Trade).decode
    report_ready()
    while True:
        probe.on_trade(decode(receiver.recv()))


async def run_connector(stream_url: str, trades: str, orders: str) -> None:
    context = zmq.Context()
    sender, receiver = _socket(context, zmq.PUSH), _socket(context, zmq.PULL)
    sender.connect(trades)
    receiver.bind(orders)
    encode = msgspec.msgpack.Encoder().encode

    def on_frame(payload: memoryview, ts_recv: int) -> None:
        sender.send(encode(read_trade(payload, ts_recv)))

    link = await connect(stream_url, on_frame)
    asyncio.get_running_loop().add_reader(receiver.fileno(), _drain, receiver, link)
    _drain(receiver, link)
    report_ready()
    await asyncio.Event().wait()


def _drain(receiver: zmq.Socket[bytes], link: OrderLink) -> None:
    """The descriptor signals a change only, so take all there is each time."""
    while receiver.poll(0, zmq.POLLIN):
        link.buy(msgspec.msgpack.decode(receiver.recv(zmq.NOBLOCK), type=str))


def _socket(context: "zmq.Context[zmq.Socket[bytes]]", kind: int) -> "zmq.Socket[bytes]":
    created = context.socket(kind)
    created.setsockopt(zmq.SNDHWM, 0)
    created.setsockopt(zmq.RCVHWM, 0)
    return created


def main(role: str, stream_url: str, results: str, trades: str, orders: str) -> None:
    if role == "strategy":
        run_strategy(results, trades, orders)
    else:
        uvloop.run(run_connector(stream_url, trades, orders))


if __name__ == "__main__":
    exit_with_parent()
    main(**arguments())
