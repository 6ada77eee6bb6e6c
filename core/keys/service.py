"""Create and check API keys."""

import hmac
import logging
from datetime import timedelta

from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.errors import Unauthorized
from core.keys.pepper import Pepper
from core.keys.repository import ApiKeyRepository
from core.keys.tables import ApiKey
from core.keys.tokens import Token, new_token
from fitserve.schemas.keys import KeyCreate, KeyCreated, KeyRead

log = logging.getLogger(__name__)

_NOBODYS = "0" * 64
"""The hash for an unknown id, so that its check takes the same time."""


def create_key(session: Session, pepper: Pepper, create: KeyCreate) -> KeyCreated:
    """Create a key; only its answer contains the whole key."""
    token, now = new_token(), utc_now()
    days = create.expires_in_days
    key = ApiKey(
        id=token.key_id,
        workspace=create.workspace,
        name=create.name,
        hash=pepper.hash(token),
        pepper_id=pepper.id,
        last_four=str(token)[-4:],
        scopes=list(create.scopes),
        limits=create.limits.model_dump(),
        created_at=now,
        expires_at=now + timedelta(days=days) if days is not None else None,
    )
    ApiKeyRepository(session).add(key)
    log.info("key %s: created for the workspace %s", key.id, key.workspace)
    return KeyCreated(**KeyRead.model_validate(key).model_dump(), key=str(token))


def check_key(session: Session, pepper: Pepper, token: Token) -> ApiKey:
    """Return the key of a token; raise Unauthorized if the key is not valid."""
    keys = ApiKeyRepository(session)
    kept, pepper_id = keys.hash_of(token.key_id) or (_NOBODYS, pepper.id)
    is_its = hmac.compare_digest(kept, pepper.hash(token))
    if pepper_id != pepper.id:
        log.error(
            "key %s was made under another pepper; give every process the same "
            "FITSERVE_KEY_PEPPER, or create a new key",
            token.key_id,
        )
    # a caller without the secret gets no information about the key
    key = keys.find(token.key_id) if is_its else None
    if key is None:
        raise Unauthorized("Unknown API key. Check the key and the URL of the service.")
    if key.revoked_at is not None:
        raise Unauthorized(
            f"This API key was revoked at {key.revoked_at:%Y-%m-%d %H:%M}Z."
        )
    if key.expires_at is not None and key.expires_at <= utc_now():
        raise Unauthorized(f"This API key expired at {key.expires_at:%Y-%m-%d %H:%M}Z.")
    return key
