"""Who trades at a fake venue and what they own: free and locked per asset, never negative."""

from decimal import Decimal

from actors.simulation.keys import PublicKey

ZERO = Decimal(0)

DEMO_KEY = "demo-key"
DEMO_SECRET = "demo-secret"
DEMO_PUBLIC_KEY_NAME = "demo-ed25519"
"""The API key of the demo account that signs with a private key of its own."""


class Balance:
    __slots__ = ("free", "locked")

    def __init__(self, free: Decimal = ZERO) -> None:
        self.free = free
        self.locked = ZERO


class Account:
    """One API key and its balances. `lock` is the only place where an order can fail for want of funds."""

    def __init__(
        self, key: str, secret: str, uid: int, funds: dict[str, Decimal], public_key: PublicKey | None = None
    ) -> None:
        """Requests are signed with the secret (HMAC-SHA256), or with the private key of `public_key`."""
        self.key = key
        self.secret = secret
        self.public_key = public_key
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
