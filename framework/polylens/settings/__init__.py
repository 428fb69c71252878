"""Where results go and where data lie: `mlflow.yaml`, then the environment, then flags."""

from polylens.settings.addresses import shown_address
from polylens.settings.load import ENVIRONMENT, Settings, load_settings

__all__ = ["ENVIRONMENT", "Settings", "load_settings", "shown_address"]
