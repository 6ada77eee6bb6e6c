"""The head of a response is sent with its body, or alone if the body comes later."""

import asyncio

import pytest

from service.joined_writes import JoinedWrites

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
CLOSED = "closed"


class Recorder(asyncio.Transport):
    """A transport that records its calls; sockets do not keep the borders of writes."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def write(self, data):
        self.calls.append(data)

    def close(self):
        self.calls.append(CLOSED)

    abort = close

    def is_closing(self):
        return CLOSED in self.calls


async def at_once(transport):
    transport.write(HEAD)
    transport.write(b"body")


async def as_stream(transport):
    transport.write(HEAD)
    await asyncio.sleep(0)
    transport.write(b"first")
    transport.write(b"second")


async def without_body(transport):
    transport.write(HEAD)


async def closed(transport):
    transport.write(HEAD)
    transport.close()


async def aborted(transport):
    transport.write(HEAD)
    transport.abort()


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (at_once, [HEAD + b"body"]),
        (as_stream, [HEAD, b"first", b"second"]),
        (without_body, [HEAD]),
        (closed, [HEAD, CLOSED]),
        (aborted, [CLOSED]),
    ],
)
def test_writes_are_joined_only_within_one_pass(act, expected):
    async def calls():
        recorder = Recorder()
        await act(JoinedWrites(recorder, asyncio.get_running_loop()))
        await asyncio.sleep(0)
        return recorder.calls

    assert asyncio.run(calls()) == expected
