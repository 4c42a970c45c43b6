"""Ready-made pieces of pipelines, to be pasted."""

from importlib import resources
from typing import Final

from bot.config.units import unknown

FILES: Final = {
    "github-actions": "github-actions.yml",
    "gitlab-ci": "gitlab-ci.yml",
    "jenkins": "jenkins.groovy",
    "curl": "curl.sh",
}


def snippet(kind: str) -> str:
    """The text for this kind of pipeline.

    Raises:
        ValueError: there is none, with those that there are.

    """
    if kind not in FILES:
        raise ValueError(unknown("kind of pipeline", kind, FILES))
    return resources.files(__package__).joinpath(FILES[kind]).read_text(encoding="utf-8")
