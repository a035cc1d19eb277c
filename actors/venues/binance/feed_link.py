"""One link of market data: its streams, the socket that carries them and, while that is replaced, the next one."""

from actors.venues.binance_api.subscriptions import Subscriptions

PROBE = b'{"method":"GET_PROPERTY","params":["combined"],"id":0}'
"""Answered at once: a link of quiet symbols shows that it is alive."""


class FeedLink:
    def __init__(self, name: str, url: str, address: str) -> None:
        """`address` is what the interface calls the place of `url`."""
        self.name = name
        self.address = address
        self._base_url = url
        self.always: list[str] = []
        """Streams of its address."""
        self.added: set[str] = set()
        """Streams that came to those of its address since it was opened."""
        self.wanted: set[str] = set()
        """Streams that somebody asked for."""
        self.socket = name
        self.next_socket = ""
        """"" while it is not being replaced."""
        self.is_waiting = False
        """For the venue's limit of messages."""
        self._sockets = {name: Subscriptions()}
        self._generation = 0
        self._up_since: dict[str, int] = {}

    @property
    def url(self) -> str:
        return f"{self._base_url}?streams={'/'.join(self.always)}" if self.always else self._base_url

    @property
    def streams(self) -> int:
        return len(self.always) + len(self.added) + len(self.wanted)

    @property
    def carried(self) -> list[str]:
        """Streams that come whether somebody asks for them or not."""
        return [*self.always, *sorted(self.added)]

    def drop(self, stream: str) -> None:
        """It comes no more."""
        self.added.discard(stream)
        if stream in self.always:
            self.always.remove(stream)
            for subscriptions in self._sockets.values():
                subscriptions.drop(stream)

    def carries(self, stream: str) -> bool:
        """It comes, as far as the venue has said."""
        return self.is_up and (stream in self.always or self._sockets[self.socket].carries(stream))

    @property
    def is_up(self) -> bool:
        return self.socket in self._up_since

    @property
    def next_is_up(self) -> bool:
        return self.next_socket in self._up_since

    def on_up(self, socket: str, now: int) -> None:
        self._up_since[socket] = now
        self._sockets[socket].on_up()

    def on_down(self, socket: str) -> None:
        self._up_since.pop(socket, None)
        self._sockets[socket].on_down()

    def is_due(self, socket: str, now: int, life_ns: int) -> bool:
        """This socket has lived for so long."""
        return now - self._up_since.get(socket, now) >= life_ns

    def begin_next(self) -> str:
        self._generation += 1
        self.next_socket = f"{self.name}.{self._generation}"
        self._sockets[self.next_socket] = Subscriptions()
        return self.next_socket

    def finish_next(self) -> str:
        """The next socket is the present one; returns the old one's name."""
        old, self.socket, self.next_socket = self.socket, self.next_socket, ""
        del self._sockets[old]
        self._up_since.pop(old, None)
        return old

    def messages(self, now: int) -> dict[str, tuple[list[bytes], int]]:
        """For each socket: what to send now, and in how many nanoseconds to ask again."""
        answers: dict[str, tuple[list[bytes], int]] = {}
        for socket, subscriptions in self._sockets.items():
            subscriptions.wanted = self.wanted | self.added
            answers[socket] = subscriptions.messages(now)
        return answers

    def on_answer(self, socket: str, id: int | str) -> list[str]:
        """The streams of the request that this answers."""
        return self._sockets[socket].on_answer(id)

    def probe(self, now: int) -> list[str]:
        """Sockets that may be asked something now."""
        return [socket for socket, subscriptions in self._sockets.items() if subscriptions.may_probe(now)]
