"""`Idempotency-Key`: the same request again gets the same answer, and makes nothing new.

The fingerprint of a request is what the service understood, not its bytes: a multipart
body has another boundary, and a gzip another time in it, each time that it is sent.
"""

import asyncio
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
            description="Of your choice, at most 255 visible ASCII characters, another "
            "for every new request. The same request with the same key is answered as "
            "the first time, and makes nothing new.",
        ),
    ] = None,
) -> str | None:
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    if len(given) > 1 or not _KEY.match(given[0]):
        came = f"{len(given)} of them" if len(given) > 1 else shown(given[0])
        raise BadIdempotencyKey(
            f"{HEADER}: got {came}; expected one key of 1 to 255 visible ASCII "
            "characters (no space), such as a UUID."
        )
    return given[0]


KeyDep = Annotated[str | None, Depends(_key)]


@asynccontextmanager
async def once(
    services: Services, request: Request, key: str | None, *content: object
) -> AsyncIterator[Claim]:
    """The request's claim on its key; `content` is all that makes it what it is.

    A refusal gives the key free. What breaks on the way can be taken up by the next.
    """
    seconds = services.settings.runs.idempotency_lease_seconds
    asked = _asked(request, key, content) if key is not None else None
    claim = Claim(services.database, asked, seconds)
    await to_thread.run_sync(claim.begin)
    beat = asyncio.create_task(_beat(claim, seconds / 3))
    try:
        yield claim
    except BaseException as error:
        with CancelScope(shield=True):
            await to_thread.run_sync(_give_up, claim, error)
        raise
    finally:
        beat.cancel()


def to_response(claim: Claim, answer: Answer) -> Response:
    """Return the answer that the claim has come to as it is sent."""
    headers = {"Location": answer.location} if answer.location else {}
    if claim.is_replay:
        headers["Idempotent-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, media_type="application/json")


def answer_of(status: int, read: BaseModel, location: str | None = None) -> Answer:
    """What will be sent, now and each time that the key comes again."""
    return Answer(status, read.model_dump_json(by_alias=True), location)


def _asked(request: Request, key: str, content: tuple[object, ...]) -> Asked:
    asked = [request.method, request.scope["path"].rstrip("/"), content]
    text = orjson.dumps(asked, default=_plain, option=orjson.OPT_SORT_KEYS)
    # the workspace, not the key: who changes keys between two tries makes nothing twice
    return Asked(key, hashlib.sha256(text).hexdigest(), workspace_of(request))


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(type(value).__name__)


def _give_up(claim: Claim, error: BaseException) -> None:
    try:
        if isinstance(error, FitserveError):
            claim.forget()
        else:
            claim.let_go()
    except SQLAlchemyError:  # the lease ends by itself
        log.warning("could not give up an idempotency key", exc_info=True)


async def _beat(claim: Claim, pause: float) -> None:
    """Renew the claim while it is worked on."""
    while claim.is_held:
        await asyncio.sleep(pause)
        try:
            await to_thread.run_sync(claim.renew)
        except SQLAlchemyError:
            log.warning("could not renew an idempotency key", exc_info=True)
