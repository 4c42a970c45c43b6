"""What a tool itself says above its migration: Prisma's warnings, Flyway's baselines."""

import re
from collections.abc import Iterator
from typing import Final

from bot.core.migrations.steps import Kind, Step

_DROPPED: Final = re.compile(r"You are about to drop the column `(\w+)` on the `(\w+)` table")
_REBUILT: Final = re.compile(r"(?m)^-- RedefineTables")


def read_warnings(path: str, text: str) -> Iterator[Step]:
    """Tell what the comments add to what the statements say."""
    name = path.rpartition("/")[2]
    if re.match(r"B[\d._]+__", name):
        detail = "a baseline: new databases begin with it, databases that are in use skip it"
        yield Step(Kind.NOTICE, 1, name, detail=detail)
    if _REBUILT.search(text):
        for found in _DROPPED.finditer(text):
            yield Step(
                Kind.DROP_COLUMN,
                text.count("\n", 0, found.start()) + 1,
                found.group(),
                table=found.group(2),
                columns=(found.group(1),),
            )
