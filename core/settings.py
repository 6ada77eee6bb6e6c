"""Every setting, with its unit and default; environment variables are `FITSERVE_…`."""

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from fitserve.specs.report import ReportSpec

MIB = 1024 * 1024
GIB = 1024 * MIB
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")
_LONGEST_SOCKET = 100  # sun_path holds 108 bytes on Linux, 104 on macOS


class Limits(BaseModel):
    """What a request may ask for (`FITSERVE_LIMITS__…`)."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    max_body_bytes: int = MIB
    """Largest body of any route but the uploads."""
    max_head_bytes: int = 64 * 1024
    """Largest head of a request: its line and headers."""
    head_seconds: float = 10.0
    """Longest time for a head to come."""
    body_seconds: float = 30.0
    """Longest time for a body, beside what its bytes may take."""
    body_bytes_per_second: int = Field(default=64 * 1024, ge=1)
    """Slowest pace of a body, and of a client that reads an answer."""
    max_predict_body_bytes: int = 32 * MIB
    """Largest body of a predict request."""
    max_predict_rows: int = 100_000
    """Most instances in one predict request."""
    max_upload_bytes: int = 4 * GIB
    """Largest CSV."""
    max_inline_bytes: int = 8 * MIB
    """Larger CSVs are read by a worker, with `status: processing` meanwhile."""
    max_columns: int = 2_000
    """Most columns of a dataset."""
    max_parameters: int = 5_000_000
    """Most trainable and other weights of a network."""
    max_layer_width: int = 8_192
    """Most outputs of one layer."""
    max_layers: int = 64
    """Most layers of a network."""
    max_epochs: int = 10_000
    """Most epochs of a run."""
    max_batch_size: int = 8_192
    """Most rows of a batch."""
    max_steps: int = 2_000_000
    """Most gradient steps of a run: epochs times batches."""
    max_memory_bytes: int = GIB
    """Most memory that a run may need by the estimate."""
    max_classes: int = 1_000
    """Most classes of a target."""
    max_run_seconds: float = 3_600.0
    """Longest fit; a run that asks for no time limit gets this one."""
    max_queued_runs: int = 1_000
    """Most runs waiting at a time."""
    key_requests_per_second: float = Field(default=0.0, ge=0)
    """Most requests a second of a key, by each API process; 0 sets no limit."""
    key_queued_runs: int = Field(default=100, ge=0)
    """Most runs waiting in a key's workspace; 0 sets no limit."""
    key_stored_bytes: int = Field(default=0, ge=0)
    """Most bytes of uploads and artifacts in a key's workspace; 0 sets no limit."""
    unknown_keys_per_minute: float = Field(default=60.0, gt=0)
    """Most keys that are looked up and found wrong, from one address."""


class RunTimes(BaseModel):
    """How runs are watched over (`FITSERVE_RUNS__…`), in seconds."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    lease_seconds: float = Field(default=30.0, gt=0)
    """How long a claim holds without a heartbeat."""
    heartbeat_seconds: float = Field(default=5.0, gt=0)
    """How often a worker renews its lease."""
    janitor_seconds: float = Field(
        default=5.0,
        gt=0,
        validation_alias=AliasChoices("janitor_seconds", "sweep_seconds"),
    )
    """How often each process looks for runs that no worker holds."""
    requeue_after_seconds: float = Field(default=10.0, gt=0)
    """How long a queued run waits before its message is sent again."""
    deaf_after_seconds: float = Field(default=30.0, gt=0)
    """How long runs may wait before an idle worker takes itself for deaf and restarts."""
    max_attempts: int = Field(default=3, ge=1)
    """How often a run is tried when its worker dies."""
    history_seconds: float = Field(default=0.25, gt=0)
    """How often a worker writes the epochs that have ended."""
    cancel_poll_seconds: float = Field(default=0.5, gt=0)
    """How often a worker asks whether its run was cancelled."""
    checkpoint_seconds: float = Field(default=15.0, ge=0)
    """How often a fit is saved, to be gone on with; rarer where saving takes long."""
    idempotency_seconds: float = Field(default=86_400.0, gt=0)
    """How long the answer to an `Idempotency-Key` is kept."""
    idempotency_lease_seconds: float = Field(default=10.0, gt=0)
    """How long a key waits for a request that died before another may go on."""


class WebhookRules(BaseModel):
    """Where webhooks may go, and when (`FITSERVE_WEBHOOKS__…`)."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    ports: list[int] = [443]
    """The ports that a webhook may name."""
    allow_loopback: bool = False
    """Lets webhooks go to this machine, by http and any port; for development."""
    timeout_seconds: float = Field(default=15.0, gt=0)
    """How long one attempt may take."""
    schedule: list[float] = Field(
        default=[0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
        min_length=1,
        max_length=10,
    )
    """The pause before each attempt; after the last one it is given up."""
    poll_seconds: float = Field(default=1.0, gt=0)
    """How often somebody looks for what is due."""
    senders: int = Field(default=2, ge=0, le=64)
    """How many messages an API process sends at a time."""


class ReportRules(BaseModel):
    """What is measured behind a fit (`FITSERVE_REPORT__…`)."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    baselines: bool = True
    """Whether other models are trained beside each run, to compare it with."""
    time_limit_seconds: float = Field(default=10.0, gt=0)
    """Longest time for the baselines of a run; a spec may ask for less."""

    def seconds(self, spec: ReportSpec) -> float:
        """How long the baselines of a run may take."""
        asked = spec.time_limit_seconds or self.time_limit_seconds
        return min(asked, self.time_limit_seconds)


class Settings(BaseSettings):
    """The settings of the process."""

    model_config = SettingsConfigDict(
        env_prefix="FITSERVE_",
        env_nested_delimiter="__",
        use_attribute_docstrings=True,
    )

    home: Path = Path("~/.fitserve")
    """Where the database, the files and the logs of the embedded default live."""
    host: str = "127.0.0.1"
    """Where the API listens; any address but loopback needs an API key."""
    port: int = Field(default=8000, ge=0, le=65_535)
    """The API's port; 0 takes a free one."""
    grpc_port: int | None = Field(default=None, ge=1, le=65_535)
    """Open Inference's gRPC port; none unless given (`pip install fitserve[grpc]`)."""
    database_url: str | None = None
    """SQLAlchemy URL; SQLite in `home` unless given."""
    broker_url: str | None = None
    """Celery broker URL; an embedded Redis in `home` unless given."""
    storage_url: str | None = None
    """URL of uploads and artifacts, such as `file:///srv/x`; in `home` unless given."""
    api_key: SecretStr | None = Field(default=None, min_length=16)
    """A key that opens everything; none is needed on loopback while there is none."""
    key_pepper: SecretStr | None = Field(default=None, min_length=32)
    """Secret under which keys are hashed, the same for all hosts; a file in `home`."""
    allowed_hosts: list[str] = ["localhost", "127.0.0.1", "[::1]"]
    """Host names under which a keyless API answers (against DNS rebinding)."""
    cors_origins: list[str] = []
    """Web origins whose pages may ask, such as `https://app.example`; `*` wants a key."""
    api_workers: int = Field(default=1, ge=1, le=256)
    """API processes that `fitserve up` starts, on one address."""
    default_model: str | None = None
    """The model, or `model@alias`, that MLflow's bare `/invocations` asks."""
    predict_cache_bytes: int = Field(default=128 * MIB, ge=1)
    """About how much memory each API process gives to loaded models."""
    alias_refresh_seconds: float = Field(default=0.8, gt=0)
    """How old an API process's knowledge of versions and aliases may be."""
    worker_processes: int = Field(default=1, ge=1, le=256)
    """Runs that one worker trains at a time."""
    worker_memory_bytes: int = 2 * GIB
    """A training process above this is replaced after its run."""
    min_free_bytes: int = Field(default=512 * MIB, ge=0)
    """Free disk below which `/health/ready` says degraded."""
    metrics_open: bool = False
    """Whether `/metrics` is told without a key."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    """The lowest level that is logged."""
    log_format: Literal["text", "json"] = "text"
    """`text` for eyes, `json` for one object a line."""
    access_log: bool = False
    """Whether every request is a line of the log."""
    limits: Limits = Limits()
    """What a request may ask for."""
    runs: RunTimes = RunTimes()
    """How runs are watched over."""
    webhooks: WebhookRules = WebhookRules()
    """Where webhooks may go, and when."""
    report: ReportRules = ReportRules()
    """What is measured behind a fit."""

    @field_validator("storage_url")
    @classmethod
    def _refuse_relative_folder(cls, url: str | None) -> str | None:
        if url and url.startswith("file:") and not url.startswith("file:///"):
            raise ValueError(
                f"{url!r} in FITSERVE_STORAGE_URL does not name an absolute folder; "
                "expected a URL such as file:///srv/fitserve, with three slashes."
            )
        return url

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level

    @model_validator(mode="after")
    def _refuse_vague_origins(self) -> Self:
        for origin in self.cors_origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin!r} in FITSERVE_CORS_ORIGINS is no origin; expected "
                    "scheme://host or scheme://host:port, without a path."
                )
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the API."""
        return self.host in _LOOPBACK

    @property
    def home_dir(self) -> Path:
        """`home`, made absolute."""
        return self.home.expanduser().resolve()

    @property
    def files_dir(self) -> Path:
        """The folder of this machine for scratch, and for the storage if it is local."""
        url = urlsplit(self.storage_url or "")
        return self.home_dir / (unquote(url.path) if url.scheme == "file" else "files")

    @property
    def resolved_database_url(self) -> str:
        """The database's URL, embedded or given."""
        return self.database_url or f"sqlite:///{self.home_dir / 'fitserve.db'}"

    @property
    def redis_socket(self) -> Path:
        """The socket of the embedded Redis, short enough for the kernel."""
        socket = self.home_dir / "broker" / "redis.sock"
        if len(str(socket)) <= _LONGEST_SOCKET:
            return socket
        digest = hashlib.sha256(str(self.home_dir).encode()).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"fitserve-{os.getuid()}-{digest}"
        return folder / "redis.sock"

    @property
    def resolved_broker_url(self) -> str:
        """The broker's URL, embedded or given."""
        return self.broker_url or f"redis+socket://{self.redis_socket}"
