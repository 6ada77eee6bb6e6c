"""The FastAPI application: settings in, ASGI app out; nothing connects on import."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.routing import APIRoute

from core.settings import Settings
from fitserve import __version__
from fitserve.problems import Problem
from service.edge import Edge
from service.lane import Lane
from service.problems import add_problem_handlers
from service.routes import datasets, health, models, predict, runs
from service.services import Services

DESCRIPTION = """\
Upload a CSV, POST a JSON model spec, get a trained Keras network behind `/v1/predict`.

Every failure is a problem (RFC 9457, `application/problem+json`): what came, what was
expected, how to mend it.
"""


def create_app(settings: Settings) -> FastAPI:
    """The API over the database, storage and broker that `settings` name."""
    services = Services.from_settings(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.start()
        yield
        services.close()

    app = FastAPI(
        title="fitserve",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
    )
    app.state.services = services
    for noun in (datasets, runs, models, predict, health):
        app.include_router(noun.router)
    add_problem_handlers(app)
    app.add_middleware(Lane, routers=[predict.router])
    app.add_middleware(Edge, settings=settings)
    return app


def _operation_id(route: APIRoute) -> str:
    """Short names for generated clients: `runs_create`."""
    tag = route.tags[0] if route.tags else "root"
    return f"{tag}_{route.name}"
