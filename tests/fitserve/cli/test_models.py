"""Test `fitserve models`."""

from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, problem


def test_models_are_listed_with_their_aliases(wire, fitserve):
    """Aliases are printed as alias=version."""
    wire.answers("GET /v1/models", bodies.page(bodies.model()))
    _, row = fitserve("models", "list").stdout.splitlines()
    assert row.split() == ["wine", "1", "-", "-", "2", "production=1"]


def test_a_version_is_shown_with_what_it_changed(wire, fitserve):
    """Rows, keys of the spec, inputs, and why figures are not comparable."""
    dataset = {"id": "ds_1", "name": "wine", "version": 1, "digest": "sha256:00"}
    lists = [{"pointer": "#/model/layers", "before": [], "after": [{}]}]
    changes = {
        "against": 1,
        "served": True,
        "dataset": dataset,
        "num_rows": 300,
        "spec": [{"pointer": "#/fit/epochs", "before": 2, "after": 3}, *lists],
        "contract": [
            {"detail": "new input", "sign": "+ ph", "column": "ph", "breaks": True}
        ],
        "not_comparable": ["the seeds differ"],
    }
    shown = bodies.version(dataset=dataset, num_rows=900, changes=changes)
    wire.answers("GET /v1/models/wine/versions/2", shown)
    assert fitserve("models", "show", "wine", "2").stdout.splitlines()[1:] == [
        "  dataset: wine@1, 900 rows",
        "changed against version 1 (wine@1, 300 rows), which served when it was trained:",
        "  rows 300 -> 900",
        "  fit.epochs: 2 -> 3",
        "  model.layers differ",
        "  + ph: new input (breaks callers)",
        "  main figures not comparable: the seeds differ",
    ]
    same = changes | {"spec": [], "contract": [], "not_comparable": []}
    wire.answers("GET /v1/models/wine/versions/2", shown | {"changes": same})
    *_, last = fitserve("models", "show", "wine", "2").stdout.splitlines()
    assert last == "  same spec and inputs; rows 300 -> 900"
    same |= {"num_rows": 900, "served": False}
    wire.answers("GET /v1/models/wine/versions/2", shown | {"changes": same})
    *_, title, last = fitserve("models", "show", "wine", "2").stdout.splitlines()
    assert title == "changed against version 1 (wine@1, 900 rows), the version before:"
    assert last == "  same spec and inputs"


def test_versions_are_shown_with_every_metric(wire, fitserve):
    """A loss of 0 is printed as 0, and an unknown loss as a dash."""
    wire.answers("GET /v1/models/wine/versions", bodies.page(bodies.version()))
    header, row = fitserve("models", "show", "wine").stdout.splitlines()
    assert header.split()[:4] == ["version", "serves", "aliases", "task"]
    assert row.split()[:3] == ["2", "production", "regression"]
    assert row.endswith("loss 0  val_loss -")


def test_promote_sets_an_alias_or_what_serves(wire, fitserve):
    """Without `--alias`, requests that name no version get the version."""
    wire.answers("PUT /v1/models/wine/aliases/live", bodies.version(1))
    wire.answers("PUT /v1/models/wine/serving", bodies.version(1))
    wire.answers("GET /v1/models/wine", bodies.model(aliases={}, serving_version=2))
    done = fitserve("models", "promote", "wine", 1, "--alias", "live")
    assert done.stdout == "wine: live now points at version 1\n"
    assert wire.asked[0].json == {"version": 1}
    done = fitserve("models", "promote", "wine", 1, "--allow-new-contract")
    assert done.stdout == "wine: version 1 serves now\n"
    assert wire.asked[-1].json == {"version": 1, "allow_new_contract": True}


def test_a_promotion_of_the_serving_version_says_so(wire, fitserve):
    """The request is sent, because it also decides that nothing else may serve."""
    wire.answers("PUT /v1/models/wine/serving", bodies.version(1))
    wire.answers("GET /v1/models/wine", bodies.model(aliases={}))
    done = fitserve("models", "promote", "wine", 1)
    assert done.stdout == "wine: version 1 already serves\n"
    assert wire.asked[-1].method == "PUT"


def test_a_refused_promotion_advises_the_option(wire, fitserve):
    """The key of the request would be of no use on the command line."""
    detail = 'Version 2 breaks callers, or send `"allow_new_contract": true` when ready.'
    error = {"pointer": "#/version", "detail": "'a' is a new required input"}
    broken = problem(409, "contract-broken", detail, (error,))
    wire.answers("PUT /v1/models/wine/serving", broken)
    wire.answers("GET /v1/models/wine", bodies.model(aliases={}))
    done = fitserve("models", "promote", "wine", 2)
    assert done.exit_code == 3
    assert done.stderr.splitlines() == [
        "Version 2 breaks callers, or give `--allow-new-contract` when ready.",
        "  #/version: 'a' is a new required input",
    ]


def test_a_script_that_relies_on_the_earlier_default_alias_fails(wire, fitserve):
    """If the model has the alias `production`, one option says what is meant."""
    wire.answers("GET /v1/models/wine", bodies.model())
    wire.answers("PUT /v1/models/wine/serving", bodies.version(1))
    done = fitserve("models", "promote", "wine", 1)
    assert done.exit_code == 2
    assert "--alias production" in done.stderr
    assert [asked.method for asked in wire.asked] == ["GET"]
    assert fitserve("models", "promote", "wine", 1, "--serving").exit_code == 0


def test_a_promotion_is_rolled_back_and_listed(wire, fitserve):
    """The history says who moved what, and why."""
    wire.answers("POST /v1/models/wine/changes/undo", bodies.change())
    wire.answers("GET /v1/models/wine/changes", bodies.page(bodies.change()))
    wire.answers("GET /v1/models/wine", bodies.model())
    done = fitserve("models", "rollback", "wine", "--reason", "too early", "--change", 2)
    moved, stop = done.stdout.splitlines()
    assert moved == "wine: the serving version went from version 2 back to version 1"
    assert stop == (
        "the next run under this name may serve again; "
        "`fitserve models update wine --promotion explicit` stops that"
    )
    assert wire.asked[0].json == {"reason": "too early", "change": 2}
    _, row = fitserve("models", "changes", "wine").stdout.splitlines()
    assert row.split()[:6] == ["2", "(serving)", "2", "1", "undo", "key"]


def test_a_rollback_warns_only_of_a_run_that_may_serve(wire, fitserve):
    """A model with explicit promotion, or an alias, stays as it is."""
    wire.answers("POST /v1/models/wine/changes/undo", bodies.change())
    wire.answers("GET /v1/models/wine", bodies.model(promotion="explicit"))
    assert fitserve("models", "rollback", "wine").stdout.count("\n") == 1
    wire.answers("GET /v1/models/wine", bodies.model())
    done = fitserve("models", "rollback", "wine", "--alias", "live")
    assert done.stdout.count("\n") == 1


def test_the_rules_of_a_model_are_changed(wire, fitserve):
    wire.answers("PATCH /v1/models/wine", bodies.model(promotion="explicit"))
    done = fitserve("models", "update", "wine", "--promotion", "explicit")
    assert done.stdout == "wine: promotion is explicit\n"


def test_an_artifact_is_downloaded(wire, fitserve, tmp_path):
    """`--to` names the file."""
    route = "GET /v1/models/wine/versions/2/artifacts/model.onnx"
    wire.answers(route, Answer(b"onnx"))
    target = tmp_path / "m.onnx"
    done = fitserve("models", "download", "wine", 2, "model.onnx", "--to", target)
    assert done.stdout == f"{target}\n"
    assert target.read_bytes() == b"onnx"
