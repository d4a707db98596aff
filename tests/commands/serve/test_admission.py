"""Requests are admitted in order, up to a number; a bounded number waits."""

from __future__ import annotations

import asyncio

import pytest

from fas_plugins.commands.serve.admission import Admission
from fas_plugins.commands.serve.limits import RequestError


def test_requests_wait_in_order_and_further_ones_are_refused() -> None:
    async def run() -> None:
        admission = Admission(concurrency=1, queue=2)
        await admission.enter(1)
        order: list[str] = []

        async def wait(name: str) -> None:
            await admission.enter(5)
            order.append(name)
            admission.leave()

        tasks = [asyncio.create_task(wait(name)) for name in "ab"]
        await asyncio.sleep(0)
        assert (admission.active, admission.waiting, admission.is_full) == (1, 2, True)
        with pytest.raises(RequestError, match="1 requests are being answered and 2 wait: try again"):
            await admission.enter(5)
        admission.leave()
        await asyncio.gather(*tasks)
        assert order == ["a", "b"]
        assert (admission.active, admission.waiting, admission.is_full) == (0, 0, False)

    asyncio.run(run())


def test_a_request_that_waits_too_long_is_refused() -> None:
    async def run() -> None:
        admission = Admission(concurrency=1, queue=1)
        await admission.enter(1)
        with pytest.raises(RequestError, match="waited") as error:
            await admission.enter(0.01)
        assert (error.value.status, error.value.error) == (503, "busy")
        admission.leave()
        await admission.enter(1)

    asyncio.run(run())
