"""The report of a run on the wire; docs/report.md explains each figure."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from fitserve.enums import Task

Metrics = dict[str, float | None]
"""Figures by scikit-learn's names; null where `reasons` says why."""


class HeldOut(BaseModel):
    """The rows that the figures are about."""

    side: Literal["test", "validation"]
    num_rows: int
    num_scored: int = Field(description="Fewer than num_rows where those are too many.")


class ResidualQuantile(BaseModel):
    """So large a share of the residuals (target minus prediction) is below `residual`."""

    quantile: float
    residual: float


class HeldOutPairs(BaseModel):
    """Targets and predictions of some scored rows, drawn at random; aligned, `[N]`."""

    actual: list[float]
    predicted: list[float]


class RegressionFigures(BaseModel):
    """What only a regression has."""

    residual_quantiles: list[ResidualQuantile]
    pairs: HeldOutPairs | None = Field(
        None, description="At most 500; null in reports made before they were kept."
    )


class ClassFigures(BaseModel):
    """One class against the others, at the labels that predict answers."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    num_rows: int


class CalibrationBin(BaseModel):
    """Rows of like probability: what was predicted, and how often it came true."""

    mean_predicted: float
    share_true: float
    num_rows: int


class Threshold(BaseModel):
    """The positive class is answered where its probability is at least `threshold`."""

    threshold: float
    precision: float | None
    recall: float | None
    f1: float | None
    false_positive_rate: float | None
    num_positive: int


class ClassCurves(BaseModel):
    """Of one class against the others, over all thresholds; about 100 points, `[N]`."""

    label: str
    false_positive_rate: list[float]
    true_positive_rate: list[float]
    recall: list[float]
    precision: list[float]


class ClassificationFigures(BaseModel):
    """What only a classification has."""

    positive_class: str | None = Field(description="Of a binary target.")
    classes: list[ClassFigures]
    confusion_matrix: list[list[int]] | None = Field(
        description="A row a true class, a column a predicted one, in `classes`' order."
    )
    calibration: list[CalibrationBin]
    expected_calibration_error: float | None
    thresholds: list[Threshold] = Field(description="Of a binary target.")
    best_threshold: float | None = Field(description="The one with the highest F1.")
    curves: list[ClassCurves] = Field(
        [], description="Of the positive class, or of the ten most frequent classes."
    )


class Importance(BaseModel):
    """How much the loss on held-out rows grows when a feature's cells are shuffled."""

    feature: str
    mean: float
    deviation: float


class Importances(BaseModel):
    """Permutation importance, the most important feature first."""

    metric: str
    num_rows: int
    num_repeats: int
    features: list[Importance]


class Trap(BaseModel):
    """Something in the data that makes figures look better, or worse, than they are."""

    kind: Literal["leakage", "duplicates", "drift", "imbalance", "constant_target"]
    sentence: str
    columns: list[str]
    numbers: dict[str, float]


class Missing(BaseModel):
    """A part of the report that there is not, and why."""

    part: str
    reason: str


class Figures(BaseModel):
    """What a worker measured before the run ended; stored as `report.json`."""

    task: Task
    held_out: HeldOut | None
    metrics: Metrics
    training_metrics: Metrics = Field(description="The same on training rows.")
    reasons: dict[str, str]
    regression: RegressionFigures | None
    classification: ClassificationFigures | None
    importance: Importances | None
    traps: list[Trap]
    missing: list[Missing]
    fit_seconds: float
    report_seconds: float


class BaselineResult(BaseModel):
    """Another model on the same rows."""

    name: str
    estimator: str
    num_train_rows: int
    seconds: float
    metrics: Metrics
    note: str | None = None


class BaselineFigures(BaseModel):
    """What a worker measured behind the run's end; stored as `baselines.json`."""

    results: list[BaselineResult]
    missing: list[Missing]
    seconds: float


class BaselinesRead(BaseModel):
    """`pending` until the worker has trained them, seconds behind the run's end."""

    status: Literal["pending", "ready", "skipped", "lost"]
    reason: str | None
    seconds: float | None
    results: list[BaselineResult]


class Reading(BaseModel):
    """What the curve says, in a word, with the numbers behind it."""

    word: Literal["underfit", "overfit", "still_improving", "diverged", "noisy", "fine"]
    sentence: str
    numbers: dict[str, float | None]
    advice: str
    next_spec: dict[str, Any] = Field(description="A RunCreate to try next.")


class Headline(BaseModel):
    """The figures that stand with the version."""

    side: Literal["test", "validation"]
    num_rows: int
    metrics: Metrics


class ReportRead(BaseModel):
    """The report of a run; `pending` until it has ended."""

    run_id: str
    status: Literal["pending", "ready", "none"]
    model_name: str
    model_version: int | None
    task: Task
    target: str
    summary: str
    num_params: int
    num_rows: dict[str, int]
    fit_seconds: float
    report_seconds: float | None
    held_out: HeldOut | None
    metrics: Metrics
    training_metrics: Metrics
    reasons: dict[str, str]
    regression: RegressionFigures | None
    classification: ClassificationFigures | None
    baselines: BaselinesRead
    importance: Importances | None
    traps: list[Trap]
    reading: Reading | None
    missing: list[Missing]
    plots: dict[str, str] = Field(
        {}, description="Paths of the pictures that this report has, as SVG, by name."
    )
