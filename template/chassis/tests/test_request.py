import asyncio
import time

import pytest

from chassis.errors import DeadlineExceeded
from chassis.request import within


async def test_work_that_ends_in_time_gives_its_result():
    assert await within(1, asyncio.sleep(0, "done"), "step") == "done"


async def test_work_that_does_not_even_notice_its_cancellation_is_left():
    async def deaf():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(2)

    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded, match="'step'"):
        await within(0.1, deaf(), "step")

    assert time.monotonic() - begun < 1


async def test_a_failure_of_the_work_is_the_caller_s():
    async def broken():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await within(1, broken(), "step")


async def test_a_caller_who_leaves_takes_the_work_along():
    cancelled = asyncio.Event()

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    task = asyncio.create_task(within(60, work(), "step"))
    await asyncio.sleep(0.01)
    task.cancel()

    await asyncio.wait_for(cancelled.wait(), 5)
