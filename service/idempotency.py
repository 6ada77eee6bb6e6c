"""`Idempotency-Key`: a repeated request gets the first answer, and creates nothing.

The fingerprint of a request covers its parsed content, not its bytes: the boundary of a
multipart body and the time in a gzip file change each time that they are sent.
"""

import hashlib
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import orjson
from anyio import CancelScope, to_thread
from fastapi import Depends, Header, Request
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from core.errors import FitserveError
from core.idempotency.claims import Answer, Claim
from core.idempotency.repository import Asked
from core.threads import PeriodicThread
from fitserve.problems import shown
from service.dependencies import workspace_of
from service.problems import BadIdempotencyKey
from service.services import Services

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[!-~]{1,255}\Z")

log = logging.getLogger(__name__)


def _key(
    request: Request,
    _: Annotated[
        str | None,
        Header(
            alias=HEADER,
            description="A unique text for each new request, of 1 to 255 visible ASCII "
            "characters. If you repeat a request with its key, you get the first answer, "
            "and nothing new is created.",
        ),
    ] = None,
) -> str | None:
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    if len(given) > 1 or not _KEY.match(given[0]):
        received = f"{len(given)} keys" if len(given) > 1 else shown(given[0])
        raise BadIdempotencyKey(
            f"{HEADER}: got {received}; expected one key of 1 to 255 visible ASCII "
            "characters (no space), such as a UUID."
        )
    return given[0]


KeyDep = Annotated[str | None, Depends(_key)]


@asynccontextmanager
async def once(
    services: Services, request: Request, key: str | None, *content: object
) -> AsyncIterator[Claim]:
    """Hold the request's claim on its key; the fingerprint covers `content`.

    A refused request frees the key. After any other failure, the next request continues
    from the last step.
    """
    seconds = services.settings.runs.idempotency_lease_seconds
    asked = _asked(request, key, content) if key is not None else None
    claim = Claim(services.database, asked, seconds)
    await to_thread.run_sync(claim.begin)
    # a separate thread, because requests may occupy every thread of the pool
    renewal = PeriodicThread("idempotency-key", seconds / 3, claim.renew)
    if claim.is_held:
        renewal.start()
    try:
        yield claim
    except BaseException as error:
        with CancelScope(shield=True):
            await to_thread.run_sync(_give_up, claim, renewal, error)
        raise
    finally:
        renewal.stop(0)  # a late renewal changes nothing


def to_response(claim: Claim, answer: Answer) -> Response:
    """Return the response for the claim's answer."""
    headers = {"Location": answer.location} if answer.location else {}
    if claim.is_replay:
        headers["Idempotent-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, media_type="application/json")


def answer_of(status: int, read: BaseModel, location: str | None = None) -> Answer:
    """Return the answer to the request and to its repetitions."""
    return Answer(status, read.model_dump_json(by_alias=True), location)


def _asked(request: Request, key: str, content: tuple[object, ...]) -> Asked:
    asked = [request.method, request.scope["path"].rstrip("/"), content]
    text = orjson.dumps(asked, default=_plain, option=orjson.OPT_SORT_KEYS)
    # the workspace, not the API key: a retry with another API key must create nothing
    return Asked(key, hashlib.sha256(text).hexdigest(), workspace_of(request))


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(type(value).__name__)


def _give_up(claim: Claim, renewal: PeriodicThread, error: BaseException) -> None:
    renewal.stop()  # a renewal after this would keep the next request waiting
    try:
        if isinstance(error, FitserveError):
            claim.forget()
        else:
            claim.let_go()
    except SQLAlchemyError:  # the lease expires anyway
        log.warning("could not give up an idempotency key", exc_info=True)
