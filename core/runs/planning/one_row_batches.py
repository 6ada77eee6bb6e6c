"""Find batches of one row in networks with BatchNormalization.

BatchNormalization subtracts the mean of the batch. A single row becomes 0, so the layers
after it do not see its values.
"""

from fitserve.specs.layers import BatchNormalization, ModelSpec

_USUAL_BATCH = 32


def one_row_batches(model: ModelSpec, batch_size: int, train_rows: int) -> str | None:
    """Describe the batches in which BatchNormalization gets one row; None without any."""
    # in an ensemble, the members of a row are normalized together
    is_normalized = any(isinstance(x, BatchNormalization) for x in model.layers)
    if not is_normalized or model.ensemble > 1:
        return None
    if min(batch_size, train_rows) == 1:
        return "every batch has one row"
    last = train_rows % batch_size
    return "the last batch of each epoch has one row" if last == 1 else None


def larger_batch(batch_size: int, train_rows: int) -> int:
    """Return the next batch size with which no batch has one row."""
    first = batch_size if batch_size > 1 else min(_USUAL_BATCH, train_rows)
    sizes = range(max(2, first), train_rows + 1)
    return next((size for size in sizes if train_rows % size != 1), max(2, train_rows))
