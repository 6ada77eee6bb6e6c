"""The port: who is let in, and how errors are told."""

import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from tritonclient.grpc.service_pb2_grpc import add_GRPCInferenceServiceServicer_to_server

from service.problems import known_problem
from service.protocols.open_inference.grpc.servicer import Servicer
from service.services import Services

log = logging.getLogger(__name__)

_OPEN = ("/ServerLive", "/ServerReady")
_GRACE_SECONDS = 10
_LONGEST = 2_000
"""Characters of a detail: clients take 8 KB of metadata in all."""
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    503: grpc.StatusCode.UNAVAILABLE,
}
Call = Callable[[Any, Any], Awaitable[Any]]


@asynccontextmanager
async def listening(services: Services) -> AsyncIterator[None]:
    """Serve on the setting's port until the end."""
    settings = services.settings
    key = settings.api_key.get_secret_value() if settings.api_key else None
    most = settings.limits.max_predict_body_bytes
    server = grpc.aio.server(
        interceptors=[Door(key)], options=[("grpc.max_receive_message_length", most)]
    )
    add_GRPCInferenceServiceServicer_to_server(Servicer(services), server)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    server.add_insecure_port(f"{host}:{settings.grpc_port}")
    await server.start()
    try:
        yield
    finally:
        await server.stop(_GRACE_SECONDS)


class Door(grpc.aio.ServerInterceptor):
    """Lets in who bears the key; tells errors as statuses."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], call: Any
    ) -> Any:
        handler = await continuation(call)
        if not self._is_let_in(call):
            return grpc.unary_unary_rpc_method_handler(_refuse)
        if handler is None or handler.unary_unary is None:
            return handler
        return grpc.unary_unary_rpc_method_handler(
            _telling(handler.unary_unary),
            handler.request_deserializer,
            handler.response_serializer,
        )

    def _is_let_in(self, call: Any) -> bool:
        if self._key is None or call.method.endswith(_OPEN):
            return True
        given = dict(call.invocation_metadata).get("authorization", "")
        scheme, _, token = str(given).partition(" ")
        is_bearer = scheme.lower() == "bearer"
        return is_bearer and hmac.compare_digest(token.encode(), self._key.encode())


async def _refuse(_: Any, context: Any) -> None:
    told = "This service wants an API key; send `authorization: Bearer <key>`."
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, told)


def _telling(answer: Call) -> Call:
    async def told(request: Any, context: Any) -> Any:
        try:
            return await answer(request, context)
        except NotImplementedError:  # of the generated base
            code, detail = grpc.StatusCode.UNIMPLEMENTED, "This service has none of that."
        except Exception as error:  # noqa: BLE001  every error has a status
            code, detail = _status(error)
        return await context.abort(code, detail)

    return told


def _status(error: Exception) -> tuple[grpc.StatusCode, str]:
    problem = known_problem(error)
    if problem is not None:
        code = _CODES.get(problem.status, grpc.StatusCode.UNKNOWN)
        return code, problem.detail[:_LONGEST]
    log.error("unexpected error", exc_info=error)
    return grpc.StatusCode.INTERNAL, "The service made a mistake; its log tells more."
