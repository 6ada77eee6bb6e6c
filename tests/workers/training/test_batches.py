"""Test that rows in blocks are complete, and train like rows in memory."""

import numpy as np
import polars as pl
import pytest

from core.datasets.typed_table import TypedTable

pytestmark = pytest.mark.keras
COLUMNS = ["a", "b", "y"]


def encode(frame):
    from workers.training.batches import InMemoryBatches

    x = frame.select("a", "b").to_numpy().astype(np.float32)
    return InMemoryBatches(x, frame["y"].to_numpy().astype(np.float32)[:, None])


@pytest.fixture
def source(tmp_path):
    """Return 103 of 150 stored rows, in blocks of 20 rows."""
    from workers.training.batches import RowLayout, StreamedBatches
    from workers.training.dataset import ParquetRows

    rng = np.random.default_rng(0)
    frame = pl.DataFrame(rng.normal(size=(150, 3)), schema=COLUMNS)
    frame.write_parquet(tmp_path / "t.parquet", row_group_size=32)
    mask = np.zeros(150, bool)
    mask[rng.permutation(150)[:103]] = True
    table = TypedTable("t", 150, [], [tmp_path / "t.parquet"])
    raw = ParquetRows(table, COLUMNS, mask)
    return StreamedBatches(raw, encode, RowLayout(2, 1, has_weight=False), 20)


@pytest.mark.parametrize("seed", [None, 0])
@pytest.mark.parametrize("size", [1, 7, 64, 103, 500])
def test_every_row_comes_once_in_chunks_of_the_given_size(source, size, seed):
    """Rows are in order without a seed; only the last chunk may be smaller."""
    rng = None if seed is None else np.random.default_rng(seed)
    chunks = [chunk.numpy() for chunk in source.chunks(size, rng)]
    assert [len(c) for c in chunks[:-1]] == [size] * (103 // size - (103 % size == 0))
    rows, all_rows = np.concatenate(chunks), encode(source.raw.read(0, 150)).packed()
    assert np.array_equal(rows, all_rows) == (seed is None)
    assert np.array_equal(np.sort(rows, axis=0), np.sort(all_rows, axis=0))


@pytest.mark.parametrize("batch_size", [8, 512])
def test_blocks_train_like_rows_in_memory(source, monkeypatch, batch_size):
    """Without shuffling, weights and history equal those of Keras."""
    from fitserve.enums import Task
    from fitserve.specs.optimizers import BY_NAME
    from tests.workers.training.test_compiled_epoch import (
        assert_same,
        by_keras,
        by_us,
        network,
    )
    from workers.training import compiled_epoch

    monkeypatch.setattr(compiled_epoch, "steps_per_chunk", lambda *_: 3)
    whole = encode(source.raw.read(0, 150))
    layers = [{"type": "Dense", "units": 4, "activation": "tanh"}]
    adam = BY_NAME["adam"]()
    models = [network(Task.REGRESSION, "mse", adam, layers, width=2) for _ in range(2)]
    expected = by_keras(models[0], whole, whole, batch_size)
    history = by_us(models[1], source, source, batch_size, xla=False)
    assert_same(models[1], history, models[0], expected)


def test_an_error_while_reading_ahead_is_raised(source):
    """The thread does not suppress it."""
    source.raw.table.paths[0].unlink()
    with pytest.raises(FileNotFoundError):
        list(source.chunks(8, None))


def test_an_unused_reader_ends(source):
    """A stopped fit leaves no thread."""
    import threading

    chunks = source.chunks(1, None)
    next(chunks)
    chunks.close()
    readers = [t for t in threading.enumerate() if t.name == "read ahead"]
    for reader in readers:
        reader.join(timeout=30)
    assert not any(reader.is_alive() for reader in readers)


@pytest.mark.parametrize(
    ("batch_size", "epochs", "greatest"),
    [
        pytest.param(16, 30, 1.0, marks=pytest.mark.heavy),
        (512, 10, 2.8),
    ],
)
def test_a_large_table_stays_in_its_file_and_trains(
    bench, monkeypatch, batch_size, epochs, greatest
):
    """All limits are lowered; the three splits are the same, and streamed."""
    from workers.training import batches, dataset, splits

    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    kinds = rng.choice(["p", "q"], 400)
    lines = [f"{a},{b},{k},{3 * a + 1}" for (a, b), k in zip(x, kinds, strict=True)]
    bench.upload("a,b,k,y\n" + "\n".join(lines))
    for module in (splits, batches):
        monkeypatch.setattr(module, "LARGEST_IN_MEMORY", 0)
    monkeypatch.setattr(batches, "_BLOCK_BYTES", 1000)
    monkeypatch.setattr(dataset, "_SAMPLE_ROWS", 150)
    run = bench.train(
        {
            "dataset": "table",
            "target": "y",
            "split": {"test": 0.2},
            "fit": {"epochs": epochs, "seed": 1, "batch_size": batch_size},
        }
    )
    assert run["status"] == "succeeded", run["error"]
    assert run["num_rows"]["train"] + run["num_rows"]["test"] < 400
    read = bench.client.get(f"/v1/runs/{run['id']}/history").json()
    assert read["history"]["loss"][-1] < read["history"]["loss"][0]
    assert run["metrics"]["test_mae"] < greatest
