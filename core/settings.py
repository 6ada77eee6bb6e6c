"""Every setting with its default; its environment variable begins with `FITSERVE_`."""

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Annotated, Literal, Self
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

from core.brokers import broker_options
from fitserve.names import MOST_WORKER_TAGS, WorkerTag
from fitserve.specs.report import ReportSpec

MIB = 1024 * 1024
GIB = 1024 * MIB
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")
_LONGEST_SOCKET = 100  # sun_path holds 108 bytes on Linux, 104 on macOS


class Limits(BaseModel):
    """The limits of requests and runs (`FITSERVE_LIMITS__…`)."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    max_body_bytes: int = MIB
    """Largest body of a request that is neither an upload nor a predict request."""
    max_head_bytes: int = 64 * 1024
    """Largest size of the request line and headers together."""
    head_seconds: float = 10.0
    """Longest time to receive the request line and headers."""
    body_seconds: float = 30.0
    """Longest time to receive a body, plus one second per `body_bytes_per_second`."""
    body_bytes_per_second: int = Field(default=64 * 1024, ge=1)
    """Slowest rate at which a client may send a request body or read a response."""
    max_predict_body_bytes: int = 32 * MIB
    """Largest body of a predict request."""
    max_predict_rows: int = 100_000
    """Maximum number of instances in one predict request."""
    max_upload_bytes: int = 4 * GIB
    """Largest size of an uploaded CSV."""
    max_inline_bytes: int = 8 * MIB
    """A worker reads larger CSVs; until then, the dataset's status is `processing`."""
    max_columns: int = 2_000
    """Maximum number of columns of a dataset."""
    max_parameters: int = 5_000_000
    """Maximum number of weights of a network, trainable or not."""
    max_layer_width: int = 8_192
    """Maximum number of outputs of one layer."""
    max_layers: int = 64
    """Maximum number of layers of a network."""
    max_epochs: int = 10_000
    """Maximum number of epochs of a run."""
    max_batch_size: int = 8_192
    """Maximum number of rows of a batch."""
    max_steps: int = 2_000_000
    """Maximum number of gradient steps of a run: epochs times batches."""
    max_memory_bytes: int = GIB
    """Maximum estimated memory of a run."""
    max_classes: int = 1_000
    """Maximum number of classes of a target."""
    max_run_seconds: float = 3_600.0
    """Longest time of a fit, and the time limit of a run whose spec sets no limit."""
    max_queued_runs: int = 1_000
    """Maximum number of queued runs."""
    key_requests_per_second: float = Field(default=0.0, ge=0)
    """Maximum requests per second and key, in each API process; 0 sets no limit."""
    key_queued_runs: int = Field(default=100, ge=0)
    """Maximum number of queued runs in a key's workspace; 0 sets no limit."""
    key_stored_bytes: int = Field(default=0, ge=0)
    """Maximum bytes of uploads and artifacts in a key's workspace; 0 sets no limit."""
    unknown_keys_per_minute: float = Field(default=60.0, gt=0)
    """Maximum number of unknown keys per minute from one address."""


class RunTimes(BaseModel):
    """The intervals and timeouts of runs (`FITSERVE_RUNS__…`), in seconds."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    lease_seconds: float = Field(default=30.0, gt=0)
    """How long a worker's claim on a run is valid without a heartbeat."""
    heartbeat_seconds: float = Field(default=5.0, gt=0)
    """How often a worker renews its lease."""
    janitor_seconds: float = Field(
        default=5.0,
        gt=0,
        validation_alias=AliasChoices("janitor_seconds", "sweep_seconds"),
    )
    """How often each process looks for lost runs and unsent messages."""
    requeue_after_seconds: float = Field(default=10.0, ge=0)
    """How long a queued run waits before its message is sent again."""
    missed_message_seconds: float = Field(
        default=30.0,
        gt=0,
        validation_alias=AliasChoices("missed_message_seconds", "deaf_after_seconds"),
    )
    """An idle worker that gets no messages restarts after a run has waited this long."""
    max_attempts: int = Field(default=3, ge=1)
    """Maximum number of attempts to train a run if its workers die."""
    history_seconds: float = Field(default=0.25, gt=0)
    """How often a worker stores the finished epochs of a run."""
    cancel_poll_seconds: float = Field(default=0.5, gt=0)
    """How often a worker checks whether its run was cancelled."""
    checkpoint_seconds: float = Field(default=15.0, ge=0)
    """How often a worker saves a checkpoint; less often if saving takes long."""
    give_way_after_seconds: float = Field(default=30.0, gt=0)
    """How long a small run waits before a long one returns to the queue for it."""
    give_way_pause_seconds: float = Field(default=300.0, gt=0)
    """Shortest time between two such returns of one run."""
    idempotency_seconds: float = Field(default=86_400.0, gt=0)
    """How long the response to an `Idempotency-Key` is stored."""
    idempotency_lease_seconds: float = Field(default=10.0, gt=0)
    """How long a repeated key is refused if the process of its first request dies."""


class WebhookRules(BaseModel):
    """The allowed addresses and the retries of webhooks (`FITSERVE_WEBHOOKS__…`)."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    ports: list[int] = [443]
    """The allowed ports of webhook URLs."""
    allow_loopback: bool = False
    """For development: allow webhooks to this machine, over http and on any port."""
    timeout_seconds: float = Field(default=15.0, gt=0)
    """Longest time of one attempt."""
    schedule: list[float] = Field(
        default=[0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
        min_length=1,
        max_length=10,
    )
    """The pause before each attempt. After the last attempt, the webhook has failed."""
    poll_seconds: float = Field(default=1.0, gt=0)
    """How often an API process looks for webhook messages that are due."""
    senders: int = Field(default=2, ge=0, le=64)
    """Number of webhook messages that an API process sends at the same time."""


class StorageRules(BaseModel):
    """The requests to an S3 store, and their cache (`FITSERVE_STORAGE__…`)."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    cache_bytes: int = Field(default=4 * GIB, ge=0)
    """Disk space in `home` for tables and networks of an S3 store."""
    timeout_seconds: float = Field(default=10.0, gt=0)
    """How long an S3 store may be silent before a request to it is repeated."""
    retry_seconds: float = Field(default=30.0, ge=0)
    """How long a request to an S3 store is repeated if the store fails."""


Days = Annotated[float, Field(ge=0, le=36_500)]


class RetentionRules(BaseModel):
    """The ages in days at which rows are deleted (`FITSERVE_RETENTION__…`).

    Without a number of days, nothing of that kind is deleted.
    """

    model_config = ConfigDict(use_attribute_docstrings=True)

    versions_days: Days | None = None
    """Age at which a version is deleted that does not serve, has no alias, is not the
    newest of its model, and not one to which the next rollback would return."""
    datasets_days: Days | None = None
    """Age at which a version of a dataset is deleted that is not the newest ready one of
    its name, nor newer, nor being read in, and that no waiting or running run reads."""
    runs_days: Days | None = None
    """Days after its end at which a run is deleted that has no version, no webhook that
    still waits, and not the highest version number of its model."""
    histories_days: Days | None = None
    """Days after the end of a run at which its history is deleted."""
    compact_histories_days: Days = 1.0
    """Days after the end of a run, and after the upgrade that allows it, at which its
    history is stored as one row."""

    def days(self, kind: str) -> float | None:
        """Return the age limit of a kind, such as `runs`; None if all are kept."""
        days: float | None = getattr(self, f"{kind}_days")
        return days


class ReportRules(BaseModel):
    """The measurements after a fit (`FITSERVE_REPORT__…`)."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    baselines: bool = True
    """Whether simple models are trained after each run, for comparison."""
    time_limit_seconds: float = Field(default=10.0, gt=0)
    """Longest time for the baselines of a run; a spec may set less."""

    def seconds(self, spec: ReportSpec) -> float:
        """Return how long the baselines of a run may take."""
        requested = spec.time_limit_seconds or self.time_limit_seconds
        return min(requested, self.time_limit_seconds)


class Settings(BaseSettings):
    """The settings of a process."""

    model_config = SettingsConfigDict(
        env_prefix="FITSERVE_",
        env_nested_delimiter="__",
        use_attribute_docstrings=True,
        hide_input_in_errors=True,  # a URL may have a password
    )

    home: Path = Path("~/.fitserve")
    """Folder of the embedded database, the files and the logs."""
    host: str = "127.0.0.1"
    """Address on which the API listens; any address but loopback requires an API key."""
    port: int = Field(default=8000, ge=0, le=65_535)
    """Port of the API; 0 chooses a free one."""
    grpc_port: int | None = Field(default=None, ge=1, le=65_535)
    """Port of Open Inference's gRPC; off by default (`pip install fitserve[grpc]`)."""
    database_url: str | None = None
    """SQLAlchemy URL of the database; by default SQLite in `home`."""
    broker_url: str | None = None
    """URL of a Redis or RabbitMQ (`amqp://…`); by default an embedded Redis in `home`."""
    storage_url: str | None = None
    """URL of the files: `file:///srv/x` or `s3://bucket/prefix`; by default in `home`."""
    api_key: SecretStr | None = Field(default=None, min_length=16)
    """A key with every scope. On loopback, no key is required until one exists."""
    key_pepper: SecretStr | None = Field(default=None, min_length=32)
    """Secret for hashing keys, the same on all hosts; by default a file in `home`."""
    allowed_hosts: list[str] = ["localhost", "127.0.0.1", "[::1]"]
    """Host names that an API without keys accepts (against DNS rebinding)."""
    cors_origins: list[str] = []
    """Allowed web origins, such as `https://app.example`; `*` requires a key."""
    api_workers: int = Field(default=1, ge=1, le=256)
    """Number of API processes that `fitserve up` starts on one address."""
    default_model: str | None = None
    """Model, or `model@alias`, for MLflow's `/invocations`, whose URL names no model."""
    predict_cache_bytes: int = Field(default=128 * MIB, ge=1)
    """Approximate memory for loaded models in each API process."""
    alias_refresh_seconds: float = Field(default=0.8, gt=0)
    """Largest age of cached versions and aliases in an API process."""
    worker_processes: int = Field(default=1, ge=1, le=256)
    """Number of training processes of a worker. One of two or more stays free for small
    runs, so that one less trains long runs."""
    worker_tags: list[WorkerTag] = Field(default=[], max_length=MOST_WORKER_TAGS)
    """Tags of a worker; it also trains the runs whose `worker_tags` it has. An API with
    this setting accepts runs for workers that do not run yet."""
    worker_memory_bytes: int = 2 * GIB
    """A training process that uses more memory is replaced after its run."""
    min_free_bytes: int = Field(default=512 * MIB, ge=0)
    """Free disk space below which `/health/ready` reports `degraded`."""
    metrics_open: bool = False
    """Whether `/metrics` can be read without a key."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    """Lowest level of log lines, as in Python's `logging`."""
    log_format: Literal["text", "json"] = "text"
    """`text` for people, `json` for one object per line."""
    access_log: bool = False
    """Whether every request is logged."""
    limits: Limits = Limits()
    """The limits of requests and runs."""
    runs: RunTimes = RunTimes()
    """The intervals and timeouts of runs."""
    webhooks: WebhookRules = WebhookRules()
    """The allowed addresses and the retries of webhooks."""
    storage: StorageRules = StorageRules()
    """The requests to an S3 store, and their cache."""
    report: ReportRules = ReportRules()
    """The measurements after a fit."""
    retention: RetentionRules = RetentionRules()
    """The ages in days at which rows are deleted."""

    @field_validator("broker_url")
    @classmethod
    def _refuse_unknown_broker(cls, url: str | None) -> str | None:
        if url is not None:
            broker_options(url)
        return url

    @field_validator("storage_url")
    @classmethod
    def _refuse_relative_folder(cls, url: str | None) -> str | None:
        if url and url.startswith("file:") and not url.startswith("file:///"):
            raise ValueError(
                f"{url!r} in FITSERVE_STORAGE_URL does not name an absolute folder; "
                "expected a URL such as file:///srv/fitserve, with three slashes."
            )
        return url

    @field_validator("storage_url")
    @classmethod
    def _refuse_vague_bucket(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "")
        if parts.scheme != "s3":
            return url
        if not parts.hostname or parts.netloc != parts.hostname:
            raise ValueError(
                "FITSERVE_STORAGE_URL does not name a bucket; expected a URL such as "
                "s3://bucket/prefix. Name the server in AWS_ENDPOINT_URL, and the key in "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            )
        if parts.query or parts.fragment:
            raise ValueError(
                "FITSERVE_STORAGE_URL has a query or a fragment; expected only a bucket "
                "and a prefix, as in s3://bucket/prefix."
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
                    f"{origin!r} in FITSERVE_CORS_ORIGINS is not an origin; expected "
                    "scheme://host or scheme://host:port, without a path."
                )
        return self

    @property
    def is_loopback(self) -> bool:
        """Return whether only this machine can reach the API."""
        return self.host in _LOOPBACK

    @property
    def home_dir(self) -> Path:
        """Return `home` as an absolute path."""
        return self.home.expanduser().resolve()

    @property
    def files_dir(self) -> Path:
        """Return the folder of scratch files, and of the storage if it is local."""
        url = urlsplit(self.storage_url or "")
        return self.home_dir / (unquote(url.path) if url.scheme == "file" else "files")

    @property
    def database_file(self) -> Path:
        """Return the file of the embedded database."""
        return self.home_dir / "fitserve.db"

    @property
    def resolved_database_url(self) -> str:
        """Return the URL of the database, given or embedded."""
        return self.database_url or f"sqlite:///{self.database_file}"

    @property
    def redis_socket(self) -> Path:
        """Return the socket of the embedded Redis, short enough for the kernel."""
        socket = self.home_dir / "broker" / "redis.sock"
        if len(str(socket)) <= _LONGEST_SOCKET:
            return socket
        digest = hashlib.sha256(str(self.home_dir).encode()).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"fitserve-{os.getuid()}-{digest}"
        return folder / "redis.sock"

    @property
    def resolved_broker_url(self) -> str:
        """Return the URL of the broker, given or embedded."""
        return self.broker_url or f"redis+socket://{self.redis_socket}"
