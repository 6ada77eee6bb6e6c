"""Serve the protocol's methods: health, metadata, infer, repository."""

from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Any

from anyio import to_thread
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as generated

from core.errors import FitserveError
from core.health.parts import State
from core.keys.caller import Caller
from fitserve import __version__
from service.predictor.version_resolver import ModelRef
from service.protocols.open_inference import models
from service.protocols.open_inference.grpc.exchange import GrpcExchange
from service.protocols.open_inference.models import model_named
from service.services import Services

CALLER: ContextVar[Caller] = ContextVar("caller")
"""The caller of the current request, set by the interceptor of the port."""


class Servicer(generated.GRPCInferenceServiceServicer):
    """The protocol's gRPC service."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def ServerLive(self, request: Any, context: Any) -> Any:
        return messages.ServerLiveResponse(live=True)

    async def ServerReady(self, request: Any, context: Any) -> Any:
        parts = await self._services.health.look()
        is_ready = all(part.state != State.FAILED for part in parts.values())
        return messages.ServerReadyResponse(ready=is_ready)

    async def ServerMetadata(self, request: Any, context: Any) -> Any:
        return messages.ServerMetadataResponse(
            name="fitserve", version=__version__, extensions=["model_repository"]
        )

    async def ModelReady(self, request: Any, context: Any) -> Any:
        try:
            await self._run(models.make_ready, _named(request))
        except FitserveError:
            return messages.ModelReadyResponse(ready=False)
        return messages.ModelReadyResponse(ready=True)

    async def ModelMetadata(self, request: Any, context: Any) -> Any:
        found = await self._run(models.describe, _named(request))
        content = found.model_dump()
        for tensor in (*content["inputs"], *content["outputs"]):
            del tensor["parameters"]  # the message has no such field
        return messages.ModelMetadataResponse(**content)

    async def ModelInfer(self, request: Any, context: Any) -> Any:
        exchange = GrpcExchange(request, CALLER.get().workspace)
        return await self._services.predictor.answer(exchange, request.ByteSize())

    async def ModelStreamInfer(
        self, request_iterator: AsyncIterator[Any], context: Any
    ) -> AsyncIterator[Any]:
        async for request in request_iterator:
            try:
                answer = await self.ModelInfer(request, context)
            except FitserveError as error:  # the stream continues
                yield messages.ModelStreamInferResponse(error_message=error.detail)
            else:
                yield messages.ModelStreamInferResponse(infer_response=answer)

    async def RepositoryIndex(self, request: Any, context: Any) -> Any:
        entries = await self._run(models.list_versions, CALLER.get().workspace)
        listed = [entry.model_dump() for entry in entries]
        return messages.RepositoryIndexResponse(models=listed)

    async def RepositoryModelLoad(self, request: Any, context: Any) -> Any:
        await self._run(models.load, CALLER.get().workspace, request.model_name)
        return messages.RepositoryModelLoadResponse()

    async def RepositoryModelUnload(self, request: Any, context: Any) -> Any:
        await self._run(models.unload, CALLER.get().workspace, request.model_name)
        return messages.RepositoryModelUnloadResponse()

    async def _run(self, action: Callable[..., Any], *given: Any) -> Any:
        return await to_thread.run_sync(action, self._services, *given)


def _named(request: Any) -> ModelRef:
    return model_named(CALLER.get().workspace, request.name, request.version)
