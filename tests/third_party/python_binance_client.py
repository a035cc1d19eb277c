"""Run by python-binance's own environment: a depth cache, an order by REST, its fill on the user stream, to stdout."""

import asyncio
import json
import os

from binance import AsyncClient, BinanceSocketManager
from binance.ws.depthcache import DepthCacheManager


async def main() -> None:
    client = await AsyncClient.create("demo-key", "demo-secret")
    sockets = BinanceSocketManager(client)
    async with DepthCacheManager(client, symbol="BTCUSDT", ws_interval=100) as depth:
        cache = await asyncio.wait_for(depth.recv(), 60)
        for _ in range(10):
            cache = await asyncio.wait_for(depth.recv(), 60)
    bids, asks = cache.get_bids(), cache.get_asks()
    async with sockets.user_socket() as events:
        order = await client.create_order(
            symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01", newClientOrderId="a" * 32
        )
        seen: list[dict[str, str]] = []
        while not seen or seen[-1].get("X") != "FILLED":
            seen.append(await asyncio.wait_for(events.recv(), 60))
    resting = await client.create_order(
        symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price="60000"
    )
    opened = await client.get_open_orders(symbol="BTCUSDT")
    canceled = await client.cancel_order(symbol="BTCUSDT", orderId=resting["orderId"])
    over_socket = await client.ws_create_order(
        symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.01", newOrderRespType="FULL"
    )
    trades = await client.get_my_trades(symbol="BTCUSDT")
    stop = await client.create_order(
        symbol="BTCUSDT",
        side="BUY",
        type="STOP_LOSS_LIMIT",
        timeInForce="GTC",
        quantity="0.01",
        price="71000",
        stopPrice="70000",
    )
    pair = await client.create_oco_order(
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.01",
        aboveType="LIMIT_MAKER",
        abovePrice="70000",
        belowType="STOP_LOSS_LIMIT",
        belowStopPrice="60000",
        belowPrice="59000",
        belowTimeInForce="GTC",
    )
    waiting = await client.get_open_orders(symbol="BTCUSDT")
    replaced = await client.cancel_replace_order(
        symbol="BTCUSDT",
        side="BUY",
        type="LIMIT",
        timeInForce="GTC",
        quantity="0.01",
        price="61000",
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=stop["orderId"],
    )
    all_canceled = await client.cancel_all_open_orders(symbol="BTCUSDT")
    await client.session.close()
    report = {
        "levels": [len(bids), len(asks)],
        "crossed": bids[0][0] >= asks[0][0],
        "order": order["status"],
        "fills": [event for event in seen if event["e"] == "executionReport" and event["x"] == "TRADE"],
        "opened": [order["status"] for order in opened],
        "canceled": canceled["status"],
        "over_socket": over_socket["status"],
        "pair": [order["clientOrderId"] != "" for order in pair["orders"]],
        "waiting": sorted(order["type"] for order in waiting),
        "replaced": [replaced["cancelResult"], replaced["newOrderResult"]],
        "all_canceled": sorted(row.get("status", row.get("listOrderStatus")) for row in all_canceled),
        "trades": [trade["qty"] for trade in trades],
    }
    print(json.dumps(report), flush=True)
    os._exit(0)  # its close_connection would wait ten seconds for the next message of a silent socket


asyncio.run(main())
