"""Invalid jobs and queries get an error in OpenAI's format."""

import httpx
import openai
import pytest

pytestmark = pytest.mark.keras


def refused(client, body, kind=openai.BadRequestError):
    with pytest.raises(kind) as caught:
        client.post("/fine_tuning/jobs", body=body, cast_to=object)
    assert (
        caught.value.body["message"] == caught.value.response.json()["error"]["message"]
    )
    return caught.value.body


BODY = {"model": "m", "training_file": "price", "metadata": {"target": "goal"}}


@pytest.mark.parametrize(
    ("changes", "param", "message"),
    [
        ({"metadata": {}}, "#/metadata/target", "required"),
        ({"metadata": {"target": "gaol"}}, "#/metadata/target", "did you mean `goal`?"),
        ({"metadata": {"target": 1}}, "#/metadata/target", "expected a text"),
        ({"metadata": {"target": "goal", "a b": "c"}}, "#/metadata/a b", "letters, digits, dots"),
        ({"metadata": {"target": "goal", "k": "v" * 501}}, "#/metadata/k", "500"),
        ({"hyperparameters": {"n_epochs": 10_001}}, "#/hyperparameters/n_epochs", "10,001"),
        ({"hyperparameters": {"n_epochs": 0}}, "#/hyperparameters/n_epochs", "got 0"),
        ({"hyperparameters": {"n_epochs": "atuo"}}, "#/hyperparameters/n_epochs", "expected 'auto'"),
        ({"hyperparameters": {"n_epochs": True}}, "#/hyperparameters/n_epochs", "got True"),
        ({"hyperparameters": {"batch_size": 8_193}}, "#/hyperparameters/batch_size", "8,193 rows per batch"),
        ({"hyperparameters": {"learning_rate_multiplier": 0}}, "#/hyperparameters/learning_rate_multiplier", "got 0"),
        ({"hyperparameters": {"learning_rate_multiplier": 1e300}}, "#/hyperparameters/learning_rate_multiplier", "got 1e+300"),
        ({"hyperparameters": {"epochs": 3}}, "#/hyperparameters/epochs", "did you mean `n_epochs`?"),
        ({"hyperparameters": [1]}, "#/hyperparameters", "expected a JSON object"),
        ({"hyperparameters": {"n_epochs": 3}, "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 4}}}}, "#/method/supervised/hyperparameters/n_epochs", "#/hyperparameters/n_epochs means 3"),
        ({"method": {"type": "dpo", "dpo": {}}}, "#/method/dpo", "not a key"),
        ({"method": {"type": "reinforcement"}}, "#/method/type", "expected 'supervised'"),
        ({"integrations": [{"type": "wandb"}]}, "#/integrations", "not supported"),
        ({"seed": -1}, "#/seed", "got -1"),
        ({"seed": 2**31}, "#/seed", "got 2147483648"),
        ({"sufix": "a"}, "#/sufix", "did you mean `suffix`?"),
        ({"spec": {"fit": {"epoch": 3}}}, "#/spec/fit/epoch", "did you mean `epochs`?"),
        ({"spec": {"compile": {"optimizer": "adm"}}, "hyperparameters": {"learning_rate_multiplier": 2}}, "#/spec/compile/optimizer", "did you mean `adam`?"),
        ({"spec": {"compile": {"optimizer": {"type": "Adam", "learning_rate": 0.5}}}, "hyperparameters": {"learning_rate_multiplier": 2}}, "#/hyperparameters/learning_rate_multiplier", "means 0.5"),
        ({"spec": {"compile": 3, "fit": [], "tags": "x"}, "seed": 1}, "#/spec/compile", "#/spec/tags: got 'x'; expected a JSON object"),
        ({"spec": {"model": {"layers": [{"type": "Dense", "units": 3}]}}}, "#/spec/model/layers/0", "3 outputs"),
        ({"spec": {"dataset": "churn"}}, "#/training_file", "#/spec/dataset means 'churn'"),
        ({"spec": {"target": "size"}}, "#/metadata/target", "#/spec/target means 'size'"),
        ({"spec": {"model_name": "n"}, "suffix": "o"}, "#/suffix", "#/spec/model_name means 'n'"),
        ({"spec": 3}, "#/spec", "expected a JSON object"),
        ({"training_file": "churn", "validation_file": "grade"}, "#/validation_file", "no training row"),
        ({"model": None}, "#/model", "required"),
        ({"model": ""}, "#/model", "not empty"),
        ({"training_file": ["price"]}, "#/training_file", "a list of 1"),
    ],
)  # fmt: skip
def test_an_invalid_job_has_a_pointer_and_a_message(
    client, service, changes, param, message
):
    """`param` points into the request body, and the message says what to do."""
    error = refused(client, {**BODY, **changes})
    assert error["param"] == param, error
    assert message in error["message"]
    assert error["type"] == "invalid_request_error"
    assert error["code"] in ("invalid_spec", "invalid_body", "over_limit")


@pytest.mark.parametrize("key", ["training_file", "validation_file"])
def test_a_missing_file_is_a_404(client, service, key):
    """`param` names the file's key."""
    error = refused(client, {**BODY, key: "file-1"}, openai.NotFoundError)
    assert (error["param"], error["code"]) == (f"#/{key}", "dataset_not_found")


DEEP = "[" * 900 + "]" * 900


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "null", "[]", "3", '"text"', "[" * 10_000,
        '{"seed": NaN}', '{"seed": 1e400}', '{"seed": 1' + "0" * 30 + "}", '{"model": "\\ud800"}',
        *(f'{{"model": "m", "training_file": "price", "metadata": {{"target": "goal"}}, {more}}}' for more in (
            f'"spec": {{"fit": {DEEP}}}', f'"spec": {{"fit": {{"seed": {DEEP}}}}}, "seed": 1',
            f'"spec": {{"model": {{"layers": {DEEP}}}}}', f'"hyperparameters": {DEEP}', f'"x": {DEEP}',
            f'"spec": {{"tags": {{"base_model": {DEEP}}}}}', '"spec": {"compile": {"optimizer": {"type": ["Adam"]}}}, "hyperparameters": {"learning_rate_multiplier": 2}',
            '"spec": {"compile": {"optimizer": null}}, "hyperparameters": {"learning_rate_multiplier": 2}',
            '"spec": {"": {"": ""}}', '"method": {"type": {}}', '"metadata": []', '"hyperparameters": {"n_epochs": 1e30}',
            '"hyperparameters": {"batch_size": 99999999999999999999}', '"validation_file": {}', '"suffix": [[]]',
            '"seed": 18446744073709551615', '"spec": {"fit": {"validation_split": 1e308}}',
        )),
    ],
)  # fmt: skip
def test_hostile_bodies_are_400(client, service, body):
    """Wrong types, huge numbers, deep nesting and half texts are refused."""
    answer = httpx.post(f"{client.base_url}fine_tuning/jobs", content=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path",
    [
        "files/x", "files/x/content", "files/%ff", "files/%00", "files/a/b/c", "files?after=%00",
        "files?order=up", "files?limit=10001", "fine_tuning/jobs/x", "fine_tuning/jobs/x/events",
        "fine_tuning/jobs/x/checkpoints", "fine_tuning/x",
    ],
)  # fmt: skip
def test_missing_things_have_openais_error_format(client, path):
    """Routes, ids and queries are covered."""
    answer = httpx.get(f"{client.base_url}{path}")
    assert 400 <= answer.status_code < 405
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("after", ["x", "x-", "x-99999999999999999999", "x-²"])
def test_events_continue_only_after_the_id_of_an_event(client, job, after):
    with pytest.raises(openai.BadRequestError, match="id of an event"):
        client.fine_tuning.jobs.list_events(job.id, after=after)


@pytest.mark.parametrize(
    "query", ["metadata=null", "metadata[a%22b]=1", "limit=0", "limit=x"]
)
def test_an_invalid_query_of_a_list_is_400(client, query):
    answer = httpx.get(f"{client.base_url}fine_tuning/jobs?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["param"].startswith("#/query/")
