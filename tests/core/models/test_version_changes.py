"""The changes of a spec are as few as a reader needs."""

from core.models.version_changes import spec_changes
from fitserve.schemas.models import SpecChange

STOPPING = {"monitor": "val_loss", "patience": 5}
DENSE, DROPOUT = {"type": "Dense", "units": 8}, {"type": "Dropout", "rate": 0.1}


def fit(**keys):
    return {"fit": {"epochs": 5, **keys}}


def layers(*given):
    return {"model": {"layers": list(given), "ensemble": 1}}


def test_an_object_that_only_one_side_has_is_one_change():
    """A key of an object that both sides have is a change of its own."""
    found = spec_changes(fit(early_stopping=None), fit(early_stopping=STOPPING))
    place = "#/fit/early_stopping"
    assert found == [SpecChange(pointer=place, before=None, after=STOPPING)]
    more = STOPPING | {"patience": 9}
    (found,) = spec_changes(fit(early_stopping=STOPPING), fit(early_stopping=more))
    assert (found.pointer, found.before, found.after) == (f"{place}/patience", 5, 9)


def test_objects_and_layers_of_other_types_are_one_change():
    """Layers of the same types differ in single keys."""
    adam, sgd = {"type": "Adam", "beta_1": 0.9}, {"type": "SGD", "momentum": 0.9}
    (found,) = spec_changes({"optimizer": adam}, {"optimizer": sgd})
    assert (found.pointer, found.after) == ("#/optimizer", sgd)
    (found,) = spec_changes(layers(DENSE), layers(DENSE, DROPOUT))
    assert (found.pointer, found.after) == ("#/model/layers", [DENSE, DROPOUT])
    wider = {"type": "Dense", "units": 16}
    (found,) = spec_changes(layers(DENSE, DROPOUT), layers(wider, DROPOUT))
    assert (found.pointer, found.after) == ("#/model/layers/0/units", 16)


def test_a_seed_and_what_is_shown_elsewhere_are_no_changes():
    old, new = fit(seed=1) | {"tags": {"a": "b"}}, fit(seed=2) | {"dataset": "x"}
    assert spec_changes(old, new) == []
