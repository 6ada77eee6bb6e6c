"""The protocol's service: health, metadata, infer, repository."""

from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

from anyio import to_thread
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as generated

from core.errors import FitserveError
from core.health.parts import State
from core.keys.caller import Caller
from fitserve import __version__
from service.protocols.open_inference import models
from service.protocols.open_inference.grpc.exchange import GrpcExchange
from service.protocols.open_inference.models import wanted_of
from service.services import Services

CALLER: ContextVar[Caller] = ContextVar("caller")
"""Who asks, as the port's door found out."""


class Servicer(generated.GRPCInferenceServiceServicer):
    """Answers by the same predictor as every other protocol."""

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
        wanted = wanted_of(CALLER.get().workspace, request.name, request.version or None)
        try:
            await to_thread.run_sync(models.make_ready, self._services, wanted)
        except FitserveError:
            return messages.ModelReadyResponse(ready=False)
        return messages.ModelReadyResponse(ready=True)

    async def ModelMetadata(self, request: Any, context: Any) -> Any:
        wanted = wanted_of(CALLER.get().workspace, request.name, request.version or None)
        told = await to_thread.run_sync(models.describe, self._services, wanted)
        tensor = messages.ModelMetadataResponse.TensorMetadata
        sides = [
            [tensor(name=t.name, datatype=t.datatype, shape=t.shape) for t in side]
            for side in (told.inputs, told.outputs)
        ]
        return messages.ModelMetadataResponse(
            name=told.name,
            versions=told.versions,
            platform=told.platform,
            inputs=sides[0],
            outputs=sides[1],
        )

    async def ModelInfer(self, request: Any, context: Any) -> Any:
        exchange = GrpcExchange(request, CALLER.get().workspace)
        return await self._services.predictor.answer(exchange, request.ByteSize())

    async def ModelStreamInfer(
        self, request_iterator: AsyncIterator[Any], context: Any
    ) -> AsyncIterator[Any]:
        async for request in request_iterator:
            try:
                answer = await self.ModelInfer(request, context)
            except FitserveError as error:  # of this request; the stream goes on
                yield messages.ModelStreamInferResponse(error_message=error.detail)
            else:
                yield messages.ModelStreamInferResponse(infer_response=answer)

    async def RepositoryIndex(self, request: Any, context: Any) -> Any:
        entries = await to_thread.run_sync(
            models.list_versions, self._services, CALLER.get().workspace
        )
        index = messages.RepositoryIndexResponse.ModelIndex
        return messages.RepositoryIndexResponse(
            models=[index(**entry.model_dump()) for entry in entries]
        )

    async def RepositoryModelLoad(self, request: Any, context: Any) -> Any:
        workspace, name = CALLER.get().workspace, request.model_name
        await to_thread.run_sync(models.load, self._services, workspace, name)
        return messages.RepositoryModelLoadResponse()

    async def RepositoryModelUnload(self, request: Any, context: Any) -> Any:
        workspace, name = CALLER.get().workspace, request.model_name
        await to_thread.run_sync(models.unload, self._services, workspace, name)
        return messages.RepositoryModelUnloadResponse()
