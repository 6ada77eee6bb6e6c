"""Serve a network by a bare ASGI callable, which does only what each request needs.

It parses the body of a native predict request, makes one array per feature, and calls the
network once per request. It checks nothing. uvicorn has the options of the API, and
garbage collection ignores everything that exists at the start, as in the API.
"""

import gc
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import numpy as np
import onnxruntime as ort
import orjson
import uvicorn

from service.server import api_config

Message = MutableMapping[str, Any]
Asgi = Callable[..., Awaitable[None]]


def make_app(path: str) -> Asgi:
    """Return an ASGI callable that predicts with the `model.onnx` at `path`."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(path, options, ["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]

    async def app(scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        body = await _body(receive) if scope["method"] == "POST" else b""
        await _send(send, _predictions(session, names, body) if body else b"{}")

    return app


def _predictions(session: ort.InferenceSession, names: list[str], body: bytes) -> bytes:
    rows = orjson.loads(body)["instances"]
    feed = {
        name: np.array([row[name] for row in rows], np.float64)[:, None] for name in names
    }
    answer = {"predictions": session.run(None, feed)[0][:, 0].tolist()}
    return orjson.dumps(answer)


async def _body(receive: Any) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


async def _send(send: Any, content: bytes) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


if __name__ == "__main__":
    app = make_app(sys.argv[1])
    gc.collect()
    gc.freeze()
    uvicorn.Server(api_config(app, "127.0.0.1", int(sys.argv[2]))).run()
