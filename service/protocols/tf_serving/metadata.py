"""Status by label, and metadata."""

from typing import Any

from core.errors import AliasNotFound
from core.models.signature import Signature
from fitserve.scopes import Scope
from service.dependencies import ServicesDep, WorkspaceDep
from service.paths import VERSION
from service.predictor.version_resolver import ModelRef, ServedVersion
from service.protocols.failures import tf_serving
from service.protocols.schemas import FAILURES
from service.protocols.tf_serving import schemas
from service.protocols.tf_serving.exchange import SIGNATURE
from service.protocols.tf_serving.predict import unknown_label
from service.router import Router
from service.services import Services

_DTYPES = {"BYTES": "DT_STRING", "BOOL": "DT_BOOL", "FP64": "DT_DOUBLE"}

router = Router(
    prefix="/v1/models",
    tags=["tf-serving"],
    responses=FAILURES,
    scope=Scope.MODELS_READ,
    errors=tf_serving,
    error_paths=("/v1/models/*/metadata",),
)


@router.get("/{name}/labels/{label}")
def label_status(
    name: str, label: str, services: ServicesDep, workspace: WorkspaceDep
) -> schemas.ModelStatus:
    """Get the status of the version of an alias (label)."""
    served = _find(services, ModelRef(workspace, name, alias=label))
    status = schemas.VersionStatus.available(served.number)
    return schemas.ModelStatus(model_version_status=[status])


@router.get("/{name}/metadata")
def metadata(name: str, services: ServicesDep, workspace: WorkspaceDep) -> dict[str, Any]:
    """Get the signature of the serving version."""
    return _metadata(_find(services, ModelRef(workspace, name)))


@router.get(f"/{{name}}/versions/{{number:{VERSION}}}/metadata")
def version_metadata(
    name: str, number: int, services: ServicesDep, workspace: WorkspaceDep
) -> dict[str, Any]:
    """Get the signature of a version."""
    return _metadata(_find(services, ModelRef(workspace, name, version=number)))


@router.get("/{name}/labels/{label}/metadata")
def label_metadata(
    name: str, label: str, services: ServicesDep, workspace: WorkspaceDep
) -> dict[str, Any]:
    """Get the signature of the version of an alias (label)."""
    return _metadata(_find(services, ModelRef(workspace, name, alias=label)))


def _find(services: Services, wanted: ModelRef) -> ServedVersion:
    try:
        return services.predictor.find(wanted)
    except AliasNotFound as error:
        raise unknown_label(wanted.alias, error) from error


def _metadata(served: ServedVersion) -> dict[str, Any]:
    spec = {
        "name": served.model_name,
        "signature_name": "",
        "version": str(served.number),
    }
    definition = {"signature_def": {SIGNATURE: _definition(served.signature)}}
    return {"model_spec": spec, "metadata": {"signature_def": definition}}


def _definition(signature: Signature) -> dict[str, Any]:
    width = len(signature.classes or []) if signature.task == "multiclass" else 1
    kind = "DT_DOUBLE" if signature.offset else "DT_FLOAT"
    output = _tensor(kind, width, "StatefulPartitionedCall:0")
    return {
        "inputs": {
            f.name: _tensor(_DTYPES[f.kind.tensor], 1, f"{SIGNATURE}_{f.name}:0")
            for f in signature.features
        },
        "outputs": {"output_0": output},
        "method_name": "tensorflow/serving/predict",
        "defaults": {},
    }


def _tensor(dtype: str, width: int, name: str) -> dict[str, Any]:
    sizes = [{"size": str(size), "name": ""} for size in (-1, width)]
    shape = {"dim": sizes, "unknown_rank": False}
    return {"dtype": dtype, "tensor_shape": shape, "name": name}
