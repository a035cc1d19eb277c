"""The venue's "no": a code, a message and an HTTP status.

Source: https://developers.binance.com/docs/binance-spot-api-docs/errors
"""


class Refusal(Exception):
    """Raised inside the fake venue, always turned into an answer. `data` is what a failed cancel-replace carries."""

    def __init__(self, code: int, message: str, status: int = 400, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.data = data
        self.retry_after_s: int | None = None

    def body(self) -> dict[str, object]:
        body: dict[str, object] = {"code": self.code, "msg": self.message}
        if self.data is not None:
            body["data"] = self.data
        return body


def mandatory(name: str) -> Refusal:
    return Refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def rejected(message: str) -> Refusal:
    """The matching engine did not take the order."""
    return Refusal(-2010, message)


def amend_rejected(message: str) -> Refusal:
    return Refusal(-2038, message)


def filter_failure(name: str) -> Refusal:
    return Refusal(-1013, f"Filter failure: {name}")
