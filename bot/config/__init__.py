"""One YAML file says what is deployed where, judged how and decided by whom; secrets never do."""

from bot.config.loading import ConfigError, Problem, load
from bot.config.models import AdapterSettings, ServiceSettings, Settings
from bot.config.secrets import Secrets
from bot.config.tiers import TierSettings

__all__ = [
    "AdapterSettings",
    "ConfigError",
    "Problem",
    "Secrets",
    "ServiceSettings",
    "Settings",
    "TierSettings",
    "load",
]
