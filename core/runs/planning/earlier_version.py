"""Find the version of a model whose inputs a new run keeps."""

import re

from core.columns.cells import plain_name
from core.errors import InvalidSpec, ModelNotFound, NotFound
from core.models.contract import Contract
from core.models.repository import ModelRepository
from core.models.tables import Version
from core.runs.planning.kept_inputs import AS, KeptInputs
from fitserve.problems import FieldError
from fitserve.specs.run import RunCreate

TABLE, SERVING = "table", "serving"
_NUMBER = re.compile(r"version ([1-9][0-9]{0,8})", re.ASCII)


def kept_inputs(
    models: ModelRepository, create: RunCreate, name: str
) -> KeptInputs | None:
    """Return the inputs of the version that `features.as` names, or that serves.

    Returns None if there is no model `name`. The inputs are only compared, and not kept,
    if the spec chooses the inputs from the table, if the version predicts another column,
    or if the model follows its newest version. Raises InvalidSpec if `features.as` names
    a version that does not exist.
    """
    wanted = create.features.as_
    if wanted not in (None, TABLE):
        version = _named(models, name, wanted)
        return _kept(version, is_kept=True, is_demanded=True)
    try:
        model, serving = models.get(name), models.serving(name)
    except ModelNotFound:
        return None
    is_same = plain_name(serving.signature.target) == plain_name(create.target)
    is_same = is_same and serving.is_whole
    is_kept = wanted is None and is_same and not model.follows_newest
    return _kept(serving, is_kept=is_kept)


def _kept(version: Version, *, is_kept: bool, is_demanded: bool = False) -> KeptInputs:
    contract = Contract.of(version.signature)
    return KeptInputs(version.number, contract, is_kept, is_demanded)


def _named(models: ModelRepository, name: str, wanted: str) -> Version:
    try:
        if wanted == SERVING:
            return models.serving(name)
        if number := _NUMBER.fullmatch(wanted):
            return models.version(name, int(number[1]))
        return models.aliased(name, wanted)
    except NotFound as error:
        raise _unknown(wanted, error) from error


def _unknown(wanted: str, error: NotFound) -> InvalidSpec:
    detail = f"got {wanted!r}; {error.detail[:1].lower()}{error.detail[1:]}"
    hint = "use `version 1`, `serving`, an alias of the model, or `table`"
    field = FieldError(pointer=AS, detail=detail.rstrip("."), hint=hint)
    return InvalidSpec(f"{field.pointer}: {detail}", [field])
