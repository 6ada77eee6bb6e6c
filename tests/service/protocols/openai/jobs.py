"""Create fine-tuning jobs."""


def create(client, file, **more):
    body = {"model": "mlp", "metadata": {"target": "goal"}, **more}
    return client.fine_tuning.jobs.create(training_file=file.id, **body)
