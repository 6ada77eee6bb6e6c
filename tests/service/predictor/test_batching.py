"""Requests that wait at the same moment share one call."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core.models.input_table import Table
from service.predictor.batching import Batcher


def table(*numbers):
    texts = np.array([f"t{n}" for n in numbers], object)
    return Table(np.array([numbers], np.float64), [texts])


class Network:
    """A network that doubles its first column and records its calls."""

    def __init__(self):
        self.calls = []

    def __call__(self, table):
        self.calls.append(table.num_rows)
        assert [t[1:] for t in table.texts[0]] == [f"{n:g}" for n in table.numbers[0]]
        if 13 in table.numbers:
            raise ArithmeticError("thirteen")
        return (2 * table.numbers.T).astype(np.float32)


async def ask(batcher, *tables):
    futures = [batcher.submit(one) for one in tables]
    return await asyncio.gather(*futures, return_exceptions=True)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.mark.parametrize("row_work", [1, 2**40])
def test_each_request_gets_its_own_rows_back(pool, row_work):
    """This holds on the event loop, and in a thread for large work."""
    network = Network()
    batcher = Batcher(network, row_work, pool)
    answers = asyncio.run(ask(batcher, table(1), table(2, 3), table(4)))
    assert [answer.ravel().tolist() for answer in answers] == [[2], [4, 6], [8]]
    assert network.calls == [4]


def test_a_failing_request_does_not_fail_the_others(pool):
    """After a failure each request is computed alone."""
    batcher = Batcher(Network(), 1, pool)
    one, two, three = asyncio.run(ask(batcher, table(1), table(13), table(3)))
    assert (one.item(), three.item()) == (2, 6)
    assert isinstance(two, ArithmeticError)


def test_many_rows_are_several_calls(pool):
    """A request waits for no rows but those of its own batch."""
    network = Network()
    batcher = Batcher(network, 1, pool)
    tables = [table(*range(20, 70)) for _ in range(6)]
    answers = asyncio.run(ask(batcher, *tables))
    assert [len(answer) for answer in answers] == [50] * 6
    assert network.calls == [100, 100, 100]


def test_a_cancelled_request_does_not_affect_the_others(pool):
    async def run():
        batcher = Batcher(Network(), 1, pool)
        one, two = batcher.submit(table(1)), batcher.submit(table(2))
        one.cancel()
        return (await two).item()

    assert asyncio.run(run()) == 4


def test_a_request_that_is_alone_runs_at_once_unless_it_is_large(pool):
    assert Batcher(Network(), 1, pool).run_alone(table(1)).item() == 2
    assert Batcher(Network(), 2**40, pool).run_alone(table(1)) is None
