"""Where canaries are kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Description:
    """What a store says of itself, for a check of the installation.

    Attributes:
        summary: one line: which server, where, how it keeps its data.
        warnings: what endangers the canaries in it, each with what to do about it.

    """

    summary: str
    warnings: tuple[str, ...] = ()
