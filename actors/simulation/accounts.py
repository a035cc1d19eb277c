"""Who trades at a fake venue and what they own: free and locked per asset, never negative."""

from decimal import Decimal

ZERO = Decimal(0)

DEMO_KEY = "demo-key"
DEMO_SECRET = "demo-secret"


class Balance:
    __slots__ = ("free", "locked")

    def __init__(self, free: Decimal = ZERO) -> None:
        self.free = free
        self.locked = ZERO


class Account:
    """One API key and its balances. `lock` is the only place where an order can fail for want of funds."""

    def __init__(self, key: str, secret: str, uid: int, funds: dict[str, Decimal]) -> None:
        self.key = key
        self.secret = secret
        self.uid = uid
        self.updated_ms = 0
        self.balances = {asset: Balance(amount) for asset, amount in funds.items()}

    def __repr__(self) -> str:
        return f"Account({self.key!r}, secret='***')"

    def balance(self, asset: str) -> Balance:
        return self.balances.setdefault(asset, Balance())

    def lock(self, asset: str, amount: Decimal) -> bool:
        """Set `amount` aside; False, and nothing done, when there is not as much."""
        balance = self.balance(asset)
        if balance.free < amount:
            return False
        balance.free -= amount
        balance.locked += amount
        return True

    def unlock(self, asset: str, amount: Decimal) -> None:
        balance = self.balance(asset)
        balance.locked -= amount
        balance.free += amount

    def spend(self, asset: str, amount: Decimal) -> None:
        """Pay out of what is locked."""
        self.balance(asset).locked -= amount

    def receive(self, asset: str, amount: Decimal) -> None:
        self.balance(asset).free += amount
