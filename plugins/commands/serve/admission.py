"""How many requests are answered at once, and how many wait."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fas_plugins.commands.serve.limits import RequestError


class Admission:
    """Admits `concurrency` requests at once; `queue` more wait for them in order, further ones are refused.

    The body of a waiting request is not read, so that it costs no memory.
    """

    def __init__(self, concurrency: int, queue: int) -> None:
        self.concurrency, self.queue = concurrency, queue
        self.waiting = 0
        self.active = 0
        self._free = asyncio.Semaphore(concurrency)

    @property
    def is_full(self) -> bool:
        """Whether the next request is refused."""
        return self.active >= self.concurrency and self.waiting >= self.queue

    async def enter(self, seconds: float) -> None:
        """Wait to be admitted; call `leave` when the request ends.

        Raises:
            RequestError: the queue is full, or the request waited for `seconds`.
        """
        if self.is_full:
            raise _busy_error(f"{self.active} requests are being answered and {self.waiting} wait")
        self.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await self._free.acquire()
        except TimeoutError:
            raise _busy_error(f"the request waited {seconds:g} s for others to end") from None
        finally:
            self.waiting -= 1
        self.active += 1

    def leave(self) -> None:
        self.active -= 1
        self._free.release()


def _busy_error(reason: str) -> RequestError:
    return RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", f"{reason}: try again")
