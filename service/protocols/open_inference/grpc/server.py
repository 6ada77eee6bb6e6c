"""Serve gRPC on its port, authenticate calls, and answer errors with a status."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import grpc
from google.protobuf.message import DecodeError
from tritonclient.grpc.service_pb2_grpc import add_GRPCInferenceServiceServicer_to_server

from core.errors import Invalid
from core.keys.caller import PROBE
from fitserve.scopes import Scope
from service.auth.authenticator import Authenticator
from service.auth.scopes import Access, RequiredAccess
from service.problems import INTERNAL_ERROR, known_problem
from service.protocols.open_inference.grpc.servicer import CALLER, Servicer
from service.services import Services

log = logging.getLogger(__name__)

SCOPES: dict[str, RequiredAccess] = {
    "ServerLive": Access.OPEN,
    "ServerReady": Access.OPEN,
    "ServerMetadata": Access.ANY_KEY,
    "ModelReady": Scope.MODELS_PREDICT,
    "ModelInfer": Scope.MODELS_PREDICT,
    "ModelStreamInfer": Scope.MODELS_PREDICT,
    "ModelMetadata": Scope.MODELS_READ,
    "RepositoryIndex": Scope.MODELS_READ,
    "RepositoryModelLoad": Scope.MODELS_WRITE,
    "RepositoryModelUnload": Scope.MODELS_WRITE,
}
"""The scope that each method requires; an unlisted method requires `admin`."""
_GRACE_SECONDS = 10
_LONGEST = 2_000
"""Most characters of an error detail; clients accept 8 KB of metadata in total."""
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
_NAMES = ("name", "version", "model_name", "model_version")


@asynccontextmanager
async def listening(services: Services) -> AsyncIterator[None]:
    """Serve gRPC on the port of the setting within the context."""
    settings = services.settings
    most = settings.limits.max_predict_body_bytes
    server = grpc.aio.server(
        interceptors=[CallGate(services.authenticator)],
        options=[("grpc.max_receive_message_length", most)],
    )
    add_GRPCInferenceServiceServicer_to_server(Servicer(services), server)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    server.add_insecure_port(f"{host}:{settings.grpc_port}")
    await server.start()
    try:
        yield
    finally:
        await server.stop(_GRACE_SECONDS)


class CallGate(grpc.aio.ServerInterceptor):
    """Authenticate every call and every request of a stream before it is unpacked."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], call: Any
    ) -> Any:
        handler = await continuation(call)
        if handler is None:
            return None
        given = dict(call.invocation_metadata).get("authorization", "")
        reading, writing = handler.request_deserializer, handler.response_serializer
        if handler.unary_unary is not None:

            async def answer(request: Any, context: Any) -> Any:
                try:
                    await self._admit(call.method, given, context)
                    return await handler.unary_unary(_read(request, reading), context)
                except Exception as error:  # noqa: BLE001  every error has a status
                    return await context.abort(*_status(error))

            return grpc.unary_unary_rpc_method_handler(answer, None, writing)

        async def stream(
            requests: AsyncIterator[Any], context: Any
        ) -> AsyncIterator[Any]:
            async def admitted() -> AsyncIterator[Any]:
                async for request in requests:
                    await self._admit(call.method, given, context)
                    yield _read(request, reading)

            try:
                async for message in handler.stream_stream(admitted(), context):
                    yield message
            except Exception as error:  # noqa: BLE001  every error has a status
                await context.abort(*_status(error))

        return grpc.stream_stream_rpc_method_handler(stream, None, writing)

    async def _admit(self, method: str, given: Any, context: Any) -> None:
        """Set the caller of the request; raises the errors of the authenticator."""
        name = method.rpartition("/")[2]
        required = SCOPES.get(name, Scope.ADMIN)
        if required is Access.OPEN:
            CALLER.set(PROBE)
            return
        address = _address(context.peer())
        CALLER.set(await self._authenticator.admit_call(given, address, required, name))


def _address(peer: str) -> str:
    """Return the host in `ipv4:127.0.0.1:5000` or `ipv6:%5B::1%5D:5000`."""
    host = peer.partition(":")[2].rpartition(":")[0]
    return unquote(host).strip("[]")


def _read(packed: bytes, reading: Callable[[bytes], Any]) -> Any:
    """Return the message; raises Invalid if it or a name in it cannot be read."""
    try:
        message = reading(packed)
    except DecodeError as error:
        raise Invalid(f"The message cannot be unpacked: {error}.") from error
    for name in _NAMES:
        if "\0" in getattr(message, name, ""):
            raise Invalid(f"`{name}` contains the character U+0000; remove it.")
    return message


def _status(error: Exception) -> tuple[grpc.StatusCode, str]:
    if isinstance(error, NotImplementedError):  # from the generated base
        return grpc.StatusCode.UNIMPLEMENTED, "This service does not support this method."
    problem = known_problem(error)
    if problem is not None:
        code = _CODES.get(problem.status, grpc.StatusCode.UNKNOWN)
        return code, problem.detail[:_LONGEST]
    log.error("unexpected error", exc_info=error)
    return grpc.StatusCode.INTERNAL, INTERNAL_ERROR
