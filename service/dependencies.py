"""What routes ask for by type."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Query, Request
from sqlalchemy.orm import Session

from service.services import Services


def get_services(request: Request) -> Services:
    """The application's services."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


def _read_session(services: ServicesDep) -> Iterator[Session]:
    with services.database.read() as session:
        yield session


def _write_session(services: ServicesDep) -> Iterator[Session]:
    with services.database.write() as session:
        yield session


ReadSession = Annotated[Session, Depends(_read_session)]
# scope="function": the commit comes before the answer, so that a 202 is durable
WriteSession = Annotated[Session, Depends(_write_session, scope="function")]

Limit = Annotated[int, Query(ge=1, le=1000, description="Most items in the page.")]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next_cursor` of the page before.")
]
