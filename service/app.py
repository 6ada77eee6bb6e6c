"""Create the FastAPI application; importing this module opens no connection."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from core import tracing
from core.settings import Settings
from fitserve import __version__
from fitserve.problems import MEDIA_TYPE
from service.disconnects import LoggedDisconnects
from service.openapi import whole_page
from service.pages import add_pages
from service.predict_fast_path import PredictFastPath
from service.problems import add_problem_handlers
from service.protocols.mlflow import routes as mlflow
from service.protocols.open_inference import infer
from service.protocols.open_inference import routes as open_inference
from service.protocols.openai import files as openai_files
from service.protocols.openai import jobs as openai_jobs
from service.protocols.tf_serving import metadata as tf_serving_metadata
from service.protocols.tf_serving import predict as tf_serving
from service.request_gate import RequestGate
from service.route_table import RouteTable
from service.routes import (
    comparison,
    datasets,
    descriptions,
    health,
    keys,
    metrics,
    models,
    plots,
    predict,
    reports,
    runs,
    serving,
    webhooks,
)
from service.services import Services
from service.tracing import Traced

ROUTERS = (
    datasets.router,
    reports.router,
    comparison.router,
    runs.router,
    webhooks.router,
    plots.router,
    models.router,
    serving.router,
    descriptions.router,
    health.router,
    keys.router,
    metrics.router,
    open_inference.router,
    tf_serving_metadata.router,
    mlflow.router,
    openai_files.router,
    openai_jobs.router,
    predict.router,
    infer.router,
    tf_serving.router,
    mlflow.invocations,
)
"""The route table and FastAPI try the routers in this order."""

_PROBLEM = {
    "description": "A problem (RFC 9457).",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}

DESCRIPTION = """\
Train a neural network on a table (CSV), and call it over HTTP.

Errors are problems (RFC 9457, `application/problem+json`): they say what was received,
what was expected, and what to do. Other protocols have their own error formats.
"""


def create_app(settings: Settings) -> FastAPI:
    """Return the API for the database, storage and broker in `settings`."""
    services = Services.from_settings(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.start()
        async with _grpc(services):
            yield
        services.close()
        tracing.stop()

    app = _Api(
        title="fitserve",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,  # `whole_page` serves it
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        responses={"4XX": _PROBLEM, "5XX": _PROBLEM},
    )
    app.state.services = services
    for router in ROUTERS:
        app.include_router(router)
    whole_page(app, wants_key=settings.api_key is not None)
    add_pages(app)
    add_problem_handlers(app)
    own_routes = app.routes[len(ROUTERS) :]
    routes = [*(route for router in ROUTERS for route in router.routes), *own_routes]
    app.state.routes = RouteTable(routes, settings)
    app.add_middleware(LoggedDisconnects)
    if tracing.is_on():  # predictions create no spans
        app.add_middleware(Traced)
    app.front = RequestGate(
        PredictFastPath(app.serve),
        settings=settings,
        routes=app.state.routes,
        counters=services.counters,
        authenticator=services.authenticator,
    )
    if settings.cors_origins:  # before the gate: preflight requests have no key
        app.front = CORSMiddleware(app.front, **_cors(settings.cors_origins))
    return app


class _Api(FastAPI):
    """FastAPI, called by the request gate and the fast path.

    Both are outside of FastAPI, because middleware that is added to FastAPI runs inside
    of FastAPI's own middleware, which predict requests do not need.
    """

    front: ASGIApp
    """The application that gets each request first."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        await self.front(scope, receive, send)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let FastAPI serve the lifespan, or a request that the gate admitted."""
        await super().__call__(scope, receive, send)


def _cors(origins: list[str]) -> dict[str, Any]:
    """Return the CORS options; keys are sent in a header, so cookies are not allowed."""
    return {
        "allow_origins": origins,
        "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
        "allow_headers": [
            *("Authorization", "Content-Type", "Content-Encoding", "Idempotency-Key"),
            *("Last-Event-ID", "Prefer", "X-Request-Id"),
        ],
        "expose_headers": ["Location", "Retry-After", "X-Request-Id"],
    }


def _grpc(services: Services) -> AbstractAsyncContextManager[None]:
    """Return a context that serves Open Inference over gRPC, if a port is set."""
    if services.settings.grpc_port is None:
        return nullcontext()
    try:
        from service.protocols.open_inference.grpc.server import (  # noqa: PLC0415
            listening,  # an optional dependency of 40 MB
        )
    except ImportError as error:
        raise RuntimeError(
            "FITSERVE_GRPC_PORT needs gRPC: run `pip install 'fitserve[grpc]'`."
        ) from error
    return listening(services)


def _operation_id(route: APIRoute) -> str:
    """Return a short name for generated clients, such as `runs_create`."""
    tag = route.tags[0] if route.tags else "root"
    return f"{tag}_{route.name}"
