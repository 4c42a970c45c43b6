"""Which types of a column hold everything that another one holds."""

import re
from typing import Final

_NAMES: Final = {
    "character varying": "varchar",
    "nvarchar": "varchar",
    "varchar2": "varchar",
    "int2": "smallint",
    "integer": "int",
    "int4": "int",
    "int8": "bigint",
    "decimal": "numeric",
    "double precision": "double",
    "float8": "double",
    "real": "float",
    "float4": "float",
    "clob": "text",
    "character": "char",
}
_RISING: Final = (
    ("tinyint", "smallint", "mediumint", "int", "bigint"),
    ("tinytext", "text", "mediumtext", "longtext"),
    ("tinyblob", "blob", "mediumblob", "longblob"),
    ("float", "double"),
    ("positivesmallintegerfield", "natural", "positivebigintegerfield"),
)
_TEXTS: Final = frozenset({"text", "mediumtext", "longtext"})
_TYPE: Final = re.compile(
    r"^([a-z_][\w .\"]*)(?:\(\s*(\d+|max)\s*(?:,\s*(\d+)\s*)?[a-z ]*\))?\s*([^()]*)$"
)
_ENDLESS: Final = 10**9
_LONGEST: Final = 200
"""Characters of a type; of a longer one nothing is told."""


def _parted(written: str) -> tuple[str, int, int, str] | None:
    text = " ".join(written.lower().split()) if len(written) <= _LONGEST else ""
    found = _TYPE.match(text.removesuffix(" unique"))
    if found is None:
        return None
    name, size, scale, rest = (found.group(at) or "" for at in range(1, 5))
    name = name.strip()
    rest += " unique" if text.endswith(" unique") else ""
    plain = _NAMES.get(name, name)
    if not size:
        length = _ENDLESS if plain in {"varchar", "numeric"} else 0
    else:
        length = _ENDLESS if not size.isdigit() else int(size)
    return plain, length, int(scale or 0), rest


def widens(former: str, new: str) -> bool | None:
    """Whether `new` holds all that `former` does; None where that cannot be told."""
    if not former or not new:
        return None
    before, after = _parted(former), _parted(new)
    if before is None or after is None:
        return None
    if before == after:
        return True
    if before[3] != after[3]:
        return None
    old, name = before[0], after[0]
    if old == name:
        if old == "varchar":
            return after[1] >= before[1]
        if old == "numeric":
            return after[2] >= before[2] and after[1] - after[2] >= before[1] - before[2]
        return True if old in {row for rows in _RISING for row in rows} else None
    if old == "varchar" and name in _TEXTS:
        return True
    if old == "text" and name == "varchar":
        return after[1] == _ENDLESS
    for row in _RISING:
        if old in row and name in row:
            return row.index(name) > row.index(old)
    return False
