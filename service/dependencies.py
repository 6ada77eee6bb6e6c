"""Dependencies of the routes."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Query, Request
from sqlalchemy.orm import Session

from core.datasets.repository import DatasetRepository
from core.keys.caller import Caller
from core.models.repository import ModelRepository
from core.runs.repository import RunRepository
from service.services import Services


def get_services(request: Request) -> Services:
    """Return the application's services."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


def caller_of(request: Request) -> Caller:
    """Return the caller that the request gate authenticated."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


CallerDep = Annotated[Caller, Depends(caller_of)]


def workspace_of(request: Request) -> str:
    """Return the workspace whose rows the request may see."""
    return caller_of(request).workspace


WorkspaceDep = Annotated[str, Depends(workspace_of)]


def _read_session(services: ServicesDep) -> Iterator[Session]:
    with services.database.read() as session:
        yield session


def _write_session(services: ServicesDep) -> Iterator[Session]:
    with services.database.write() as session:
        yield session


# scope="function": a slow download must not hold a database connection
ReadSession = Annotated[Session, Depends(_read_session, scope="function")]
# the commit precedes the answer, so that a 202 is durable
WriteSession = Annotated[Session, Depends(_write_session, scope="function")]


def _datasets(session: ReadSession, workspace: WorkspaceDep) -> DatasetRepository:
    return DatasetRepository(session, workspace)


def _runs(session: ReadSession, workspace: WorkspaceDep) -> RunRepository:
    return RunRepository(session, workspace)


def _models(session: ReadSession, workspace: WorkspaceDep) -> ModelRepository:
    return ModelRepository(session, workspace)


# read access to the caller's workspace
Datasets = Annotated[DatasetRepository, Depends(_datasets)]
Runs = Annotated[RunRepository, Depends(_runs)]
Models = Annotated[ModelRepository, Depends(_models)]

Limit = Annotated[int, Query(ge=1, le=1000, description="Maximum number of items.")]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next_cursor` of the previous page.")
]


def number_in(cursor: str | None) -> int | None:
    """Return the number in a cursor; None if it has none that a database can hold."""
    is_number = cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 10
    return int(cursor) if cursor and is_number else None
