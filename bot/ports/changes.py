"""Where it is seen what a revision changes."""

from collections.abc import Callable
from typing import Protocol

from bot.core.change import Seen

Wanted = Callable[[str], bool]
"""Whether a file's text is needed, by its path."""


class ChangeSource(Protocol):
    """Tells what lies between two commits; never executes anything of it."""

    async def compare(self, base: str, head: str, wanted: Wanted) -> Seen:
        """Everything from `base`, which is stable, to `head`.

        Args:
            base, head: revisions as backends tell them, or as they were started.
            wanted: files whose text, before and after, is needed; of others the numbers do. Of a
                wanted migration that earlier ones would tell more of
                (`bot.core.migrations.needs_earlier`), those of its folder that are wanted too
                are told as `earlier`, where a source can read all of them.

        Returns:
            `Unseen` where it cannot be told now: unknown revisions, no rights, no answer in time.
            Never raises.

        """
        ...
