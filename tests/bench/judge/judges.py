"""The judges by name: ours and every peer."""

from bench.judge.ours import Ours
from bench.judge.peers import ALL
from bench.judge.runner import Factory

EVERY: tuple[Factory, ...] = (Ours, *ALL)


def factories(names: str | None) -> list[Factory]:
    """All judges, or those of comma-separated names; the beginning of a name will do.

    Raises:
        ValueError: for a name that is none, with the known ones.

    """
    known = {factory().name: factory for factory in EVERY}
    if names is None:
        return list(known.values())
    found: dict[str, Factory] = {}
    for wanted in names.split(","):
        match = {
            name: factory
            for name, factory in known.items()
            if wanted.strip() and _plain(name).startswith(_plain(wanted))
        }
        if not match:
            raise ValueError(f"there is no judge {wanted!r}; known: {', '.join(known)}")
        found |= match
    return list(found.values())


def _plain(name: str) -> str:
    return name.strip().casefold().replace("-", " ")
