"""Files and fine-tuning jobs, as OpenAI's clients call datasets and runs."""
