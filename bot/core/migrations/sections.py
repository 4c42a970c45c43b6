"""Leaves out of a file of SQL what only undoes it, where its tool parts files by comments."""

import re
from typing import Final

from bot.core.migrations.paths import reads_whole_files

_MARK: Final = re.compile(
    r"(?im)^[ \t]*(?:--|#)[ \t]*(?:-{2,}[ \t]*)?"
    r"(\+goose|\+migrate|migrate:|!|//[ \t]*@)[ \t]*(ups?|downs?|undo)\b.*$"
)
"""goose, sql-migrate, dbmate, Play, MyBatis: `-- +goose down`, `# --- !Downs`, `-- //@UNDO`."""
_HEADED: Final = re.compile(r"(?m)^[ \t]*--[ \t]*//(?![ \t]*@)")
"""MyBatis has no mark of what is done but its first line: `-- // create the table`."""
_NO_SQL: Final = re.compile(r"(?im)^[ \t]*#[ \t]*-{2,}[ \t]*!ups\b.*$")


def only_up(path: str, text: str) -> str:
    """Blank what undoes the migration, keeping the lines.

    Only a tool that parts its files heeds such marks: to the others they are comments. So a mark
    of what undoes counts where the same tool's mark of what is done stands above it, and never in
    a file that another tool runs as a whole.
    """
    if reads_whole_files(path):
        return text
    header = _HEADED.search(text)
    begun: set[str] = set()
    kept: list[str] = []
    at, skipping = 0, ""
    for mark in _MARK.finditer(text):
        tool = "//" if mark.group(1).startswith("//") else mark.group(1).lower()
        if mark.group(2).lower().startswith("up"):
            begun.add(tool)
            if skipping == tool:
                kept.append("\n" * text.count("\n", at, mark.start()))
                at, skipping = mark.start(), ""
        elif not skipping:
            headed = tool == "//" and header is not None and header.start() < mark.start()
            if headed or tool in begun:
                kept.append(text[at : mark.start()])
                at, skipping = mark.start(), tool
    if not skipping:
        kept.append(text[at:])
    return _NO_SQL.sub("", "".join(kept))
