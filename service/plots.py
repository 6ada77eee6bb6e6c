"""Plots as files. matplotlib is imported when the first one is asked for."""

import io
import math

from fitserve.schemas.runs import HistoryRead


def history_svg(read: HistoryRead) -> bytes:
    """Loss and validation loss by epoch, as SVG; the lowest validation loss is marked."""
    from matplotlib.figure import Figure  # noqa: PLC0415  40 MB that few need

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name in ("loss", "val_loss"):
        values = [math.nan if v is None else v for v in read.history.get(name, [])]
        if values:
            axes.plot(read.epoch, values, label=name)
    _mark_lowest(axes, read)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _mark_lowest(axes: "object", read: HistoryRead) -> None:
    losses = [
        (loss, epoch)
        for loss, epoch in zip(read.history.get("val_loss", []), read.epoch, strict=False)
        if loss is not None
    ]
    if losses:
        loss, epoch = min(losses)
        axes.plot(epoch, loss, "o", label=f"lowest {loss:.4g}, epoch {epoch}")  # type: ignore[attr-defined]
