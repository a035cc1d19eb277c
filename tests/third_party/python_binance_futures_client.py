"""Run by python-binance's own environment: futures streams, orders by REST and socket, their events, to stdout."""

import asyncio
import json
import os

from binance import AsyncClient, BinanceSocketManager


async def main() -> None:
    client = AsyncClient("demo-key", "demo-secret")
    sockets = BinanceSocketManager(client)
    async with sockets.futures_multiplex_socket(["btcusdt@aggTrade", "btcusdt@markPrice@1s"]) as market:
        streams: set[str] = set()
        while len(streams) < 2:
            streams.add((await asyncio.wait_for(market.recv(), 60))["stream"])
    await client.futures_change_leverage(symbol="BTCUSDT", leverage=10)
    async with sockets.futures_user_socket() as events:
        order = await client.futures_create_order(
            symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01", newClientOrderId="a" * 32
        )
        seen = [await asyncio.wait_for(events.recv(), 60) for _ in range(4)]
    stop = await client.futures_create_algo_order(
        symbol="BTCUSDT", side="SELL", type="STOP_MARKET", quantity="0.01", triggerPrice="50000"
    )
    resting = await client.ws_futures_create_order(
        symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price="65000"
    )
    opened = await client.futures_get_open_orders(symbol="BTCUSDT")
    canceled = await client.ws_futures_cancel_order(symbol="BTCUSDT", orderId=resting["orderId"])
    positions = await client.futures_position_information(symbol="BTCUSDT")
    balances = await client.futures_account_balance()
    depth = await client.futures_order_book(symbol="BTCUSDT", limit=100)
    await client.session.close()
    report = {
        "streams": sorted(streams),
        "order": order["status"],
        "events": [event["e"] for event in seen],
        "stop": stop["algoStatus"],
        "opened": [order["status"] for order in opened],
        "canceled": canceled["status"],
        "position": positions[0]["positionAmt"],
        "assets": [balance["asset"] for balance in balances],
        "levels": min(len(depth["bids"]), len(depth["asks"])),
    }
    print(json.dumps(report), flush=True)
    os._exit(0)  # its close_connection would wait ten seconds for the next message of a silent socket


asyncio.run(main())
