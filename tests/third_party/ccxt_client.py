"""Run by ccxt's own environment: markets, a book, an order and its fill on the user stream, to stdout."""

import asyncio
import json

import ccxt.pro


def subscribed(exchange: ccxt.pro.binance) -> bool:
    return any("ws-api" in url and client.subscriptions for url, client in exchange.clients.items())


async def main() -> None:
    exchange = ccxt.pro.binance({"apiKey": "demo-key", "secret": "demo-secret"})
    try:
        markets = await exchange.load_markets()
        ticker = await exchange.fetch_ticker("BTC/USDT")
        for _ in range(5):
            book = await asyncio.wait_for(exchange.watch_order_book("BTC/USDT"), 60)
        mine = asyncio.create_task(exchange.watch_my_trades("BTC/USDT"))
        while not subscribed(exchange):
            await asyncio.sleep(0.01)
        order = await exchange.create_order("BTC/USDT", "market", "buy", 0.01)
        trade = (await asyncio.wait_for(mine, 60))[-1]
        resting = await exchange.create_order("BTC/USDT", "limit", "buy", 0.01, 60000, {"postOnly": True})
        opened = await exchange.fetch_open_orders("BTC/USDT")
        canceled = await exchange.cancel_order(resting["id"], "BTC/USDT")
        stop = await exchange.create_order("BTC/USDT", "limit", "buy", 0.01, 71000, {"stopLossPrice": 70000})
        edited = await exchange.edit_order(stop["id"], "BTC/USDT", "limit", "buy", 0.01, 61000)
        left = await exchange.cancel_all_orders("BTC/USDT")
        report = {
            "markets": sorted(markets),
            "last": ticker["last"] > 0,
            "crossed": book["bids"][0][0] >= book["asks"][0][0],
            "order": order["status"],
            "trade": [trade["order"] == order["id"], trade["amount"]],
            "opened": [row["id"] == resting["id"] for row in opened],
            "canceled": canceled["status"],
            "stop": [stop["type"], stop["status"]],
            "edited": [edited["id"] != stop["id"], edited["price"]],
            "left": [row["id"] == edited["id"] for row in left],
        }
        print(json.dumps(report))
    finally:
        await exchange.close()


asyncio.run(main())
