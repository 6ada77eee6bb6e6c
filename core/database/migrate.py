"""Bring a database to the newest revision: `python -m core.database.migrate`."""

from alembic import command
from alembic.config import Config

from core.database.revisions import scripts_folder
from core.settings import Settings


def alembic_config(url: str) -> Config:
    """Return Alembic's configuration for the database at `url`."""
    config = Config()
    config.set_main_option("script_location", str(scripts_folder()))
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Apply every missing migration; wait while another process applies them."""
    command.upgrade(alembic_config(url), "head")


if __name__ == "__main__":
    settings = Settings()
    settings.home_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    upgrade(settings.resolved_database_url)
