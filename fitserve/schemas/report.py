"""Schemas of the report of a run; docs/report.md explains each metric."""

from typing import Any, Literal

from pydantic import BaseModel, Field, computed_field

from fitserve.baseline_titles import baseline_title
from fitserve.enums import Task

Metrics = dict[str, float | None]
"""Metrics by scikit-learn's names; `reasons` explains each null."""


class HeldOut(BaseModel):
    """The held-out rows on which the network was measured."""

    side: Literal["test", "validation"]
    num_rows: int
    num_scored: int = Field(
        description="Rows measured: all, or a sample of many; none with the weight 0."
    )
    sample_weight: str | None = Field(
        None,
        description="Column that weighs all figures, except numbers of rows and the "
        "confusion matrix; null if the run has no `fit.sample_weight`.",
    )


class ResidualQuantile(BaseModel):
    """A quantile of the residuals (target minus prediction)."""

    quantile: float
    residual: float


class HeldOutPairs(BaseModel):
    """Targets and predictions of a random sample of rows, as two aligned lists."""

    actual: list[float]
    predicted: list[float]


class RegressionFigures(BaseModel):
    """Measurements of a regression."""

    residual_quantiles: list[ResidualQuantile]
    pairs: HeldOutPairs | None = Field(
        None, description="At most 500 rows; null in reports of older releases."
    )


class ClassFigures(BaseModel):
    """Metrics of the predicted labels, for one class against the others."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    num_rows: int


class CalibrationBin(BaseModel):
    """Rows with similar predicted probabilities: their mean, and the true share."""

    mean_predicted: float
    share_true: float
    num_rows: int


class Threshold(BaseModel):
    """Metrics for a threshold on the probability of the positive class."""

    threshold: float
    precision: float | None
    recall: float | None
    f1: float | None
    false_positive_rate: float | None
    num_positive: int


class ClassCurves(BaseModel):
    """Curves of one class against the others over all thresholds; about 100 points."""

    label: str
    false_positive_rate: list[float]
    true_positive_rate: list[float]
    recall: list[float]
    precision: list[float]


class ClassificationFigures(BaseModel):
    """Measurements of a classification."""

    positive_class: str | None = Field(description="Null if the target is not binary.")
    classes: list[ClassFigures]
    confusion_matrix: list[list[int]] | None = Field(
        description="A row per true class, a column per predicted class, as in `classes`."
    )
    calibration: list[CalibrationBin]
    expected_calibration_error: float | None
    thresholds: list[Threshold] = Field(description="Empty if the target is not binary.")
    best_threshold: float | None = Field(description="Threshold with the highest F1.")
    curves: list[ClassCurves] = Field(
        [], description="Curves of the positive class, or of the ten most common classes."
    )


class Importance(BaseModel):
    """Increase of the loss on held-out rows when the values of a feature are shuffled."""

    feature: str
    mean: float
    deviation: float


class Importances(BaseModel):
    """Permutation importance of the features, the most important feature first."""

    metric: str
    num_rows: int
    num_repeats: int
    features: list[Importance]


class Trap(BaseModel):
    """A property of the data that can make the metrics misleading."""

    kind: Literal["leakage", "duplicates", "drift", "imbalance", "constant_target"]
    sentence: str
    columns: list[str]
    numbers: dict[str, float]


class Missing(BaseModel):
    """A part that the report lacks, and the reason."""

    part: str
    reason: str


class BestBaseline(BaseModel):
    """The best baseline by the main metric."""

    name: str
    value: float


class MainFigureSummary(BaseModel):
    """A main figure without its rows, as lists show it."""

    metric: str = Field(
        description="`r2`, `roc_auc` or `accuracy`, by task; where that is undefined, "
        "`mae` or `accuracy`."
    )
    value: float
    low: float | None = Field(
        description="Lower end of the 95 % bootstrap interval over the held-out rows; "
        "null if the interval is undefined or the run is of an older release."
    )
    high: float | None = Field(description="Upper end of the interval.")
    baseline: BestBaseline | None = Field(
        None, description="Null until baselines are trained, and if there are none."
    )

    @computed_field(description="Name of the baseline in words; null without one.")  # type: ignore[prop-decorator]
    @property
    def baseline_title(self) -> str | None:
        """Return the name of the baseline in words; None without a baseline."""
        return baseline_title(self.baseline.name, self.metric) if self.baseline else None


class MainFigure(MainFigureSummary):
    """The main metric of the task on held-out rows, with its interval."""

    side: Literal["test", "validation"]
    num_rows: int = Field(description="Rows that were scored.")


class Figures(BaseModel):
    """Measurements made before the run ended; stored as `report.json`."""

    task: Task
    held_out: HeldOut | None
    main_figure: MainFigure | None = None
    metrics: Metrics
    training_metrics: Metrics = Field(description="Metrics on training rows.")
    reasons: dict[str, str]
    regression: RegressionFigures | None
    classification: ClassificationFigures | None
    importance: Importances | None
    traps: list[Trap]
    missing: list[Missing]
    fit_seconds: float
    report_seconds: float


class BaselineResult(BaseModel):
    """Metrics of a simple model on the same rows, for comparison."""

    name: str
    estimator: str
    num_train_rows: int
    seconds: float
    metrics: Metrics
    note: str | None = None
    is_class_weighted: bool = Field(
        False, description="Whether `fit.class_weight` weighed the training rows."
    )

    @computed_field(description="Its name in words, such as `gradient boosting`.")  # type: ignore[prop-decorator]
    @property
    def title(self) -> str:
        """Return its name in words."""
        return baseline_title(self.name, "r2" if "r2" in self.metrics else "accuracy")


class BaselineFigures(BaseModel):
    """Baselines, trained after the run ended; stored as `baselines.json`."""

    results: list[BaselineResult]
    missing: list[Missing]
    seconds: float


class BaselinesRead(BaseModel):
    """Baselines of a run; `pending` until some seconds after the run ended."""

    status: Literal["pending", "ready", "skipped", "lost"]
    reason: str | None
    seconds: float | None
    results: list[BaselineResult]


class Suggestion(BaseModel):
    """A spec that is worth a try."""

    kind: str = Field(
        description="`leave_out`, `larger_batches`, `larger_network`, `regularization`, "
        "`more_epochs`, `lower_rate` or `calmer_steps`; later releases may add kinds."
    )
    label: str = Field(description="The words of a button that trains the spec.")
    spec: dict[str, Any]


class Reading(BaseModel):
    """A diagnosis of the learning curve in one word, with its reasons and advice."""

    word: Literal["underfit", "overfit", "still_improving", "diverged", "noisy", "fine"]
    title: str = Field("", description="The most important finding, for a heading.")
    sentence: str
    numbers: dict[str, float | None]
    advice: str
    suggestion: Suggestion | None = Field(
        None, description="What to train next; null if no change is likely to help."
    )
    next_spec: dict[str, Any] = Field(
        description="The spec of `suggestion`; without one, the spec of this run."
    )


class Headline(BaseModel):
    """The main metrics of a version, on held-out rows."""

    side: Literal["test", "validation"]
    num_rows: int
    metrics: Metrics


class ReportRead(BaseModel):
    """The report of a run; `pending` until the run has ended."""

    run_id: str
    status: Literal["pending", "ready", "none"]
    model_name: str
    model_version: int | None
    task: Task
    target: str
    summary: str
    num_params: int
    num_rows: dict[str, int]
    excluded: dict[str, str] = Field(
        {}, description="Columns that are not features, each with the reason."
    )
    fit_seconds: float
    report_seconds: float | None
    held_out: HeldOut | None
    main_figure: MainFigure | None = Field(
        None, description="Null without metrics on held-out rows."
    )
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
        {}, description="Paths of the report's plots as SVG, by name."
    )
