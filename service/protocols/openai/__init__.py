"""OpenAI's files and fine-tuning jobs: datasets and runs."""
