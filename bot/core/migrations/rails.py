"""Reads Rails' migrations line by line: what `change` and `up` do, and never `down`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from bot.core.migrations.rails_calls import CALLS, SILENT, Call, table_call
from bot.core.migrations.sql_file import read_sql
from bot.core.migrations.steps import Kind, Step

_HEREDOC: Final = re.compile(r"<<[~-]?(['\"]?)([A-Z_]\w*)\1")
_OPENS: Final = re.compile(
    r"^(?:def|if|unless|while|until|case|begin|class|module|for)\b|\bdo\s*(?:\|[^|]*\|)?\s*$"
    r"|=\s*(?:if|case|begin)\b"
)
_SKIPPED: Final = re.compile(
    r"^(?:def (?:self\.)?(?:down|revert|rollback)\w*|\w+\.down\b|class (?!.*Migration)|create_table\b|create_join_table\b)"
)
_TABLE: Final = re.compile(r"^change_table[ (]+:?[\"']?([\w.]+)[\"']?.*\|(\w+)\|$")
_WRAPPED: Final = re.compile(
    r"^(?:safety_assured|reversible|\w+\.up|up_only|with_lock_retries)\s*\{\s*(?:\|\w+\|)?\s*(.*?)\s*\}$"
)
_CALL: Final = re.compile(
    r"^(?:connection\.|ActiveRecord::Base\.connection\.)?(\w+[!?]?)(?:\s*\(|\s+|$)(.*)$", re.DOTALL
)
_CODE: Final = re.compile(
    r"^(?:[A-Z]\w*(?:::\w+)*(?:\.|\()|\w+\.(?:each|find_each|in_batches|update|destroy|delete|save)\b|@?\w+\.)"
)
_FLOW: Final = re.compile(
    r"^(?:end|else|elsif\b.*|rescue\b.*|ensure|return\b.*|then|when\b.*|private|def\b.*|if\b.*|unless\b.*"
    r"|class\b.*|module\b.*|begin|include\b.*|extend\b.*|\w+\.(?:up|down)\s+do|reversible do.*|[\])}].*"
    r"|safety_assured do|up_only do|[A-Z][A-Z_\d]*\s*=.*|case\b.*|attr_\w+.*|next\b.*|\w+\s*(?:\|\|)?=\s*[^=].*"
    r"|with_lock_retries(?:\(.*\))? do|transaction do|require\b.*|require_relative\b.*|self\.\w+\s*=.*)$",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Line:
    """A statement that may go on over several lines, with its heredocs' text."""

    number: int
    text: str
    heredoc: str = ""


def read_rails(_: str, text: str) -> Iterator[Step]:
    """Tell what a migration's `change` and `up` do; never raises."""
    skipping = 0
    table = owner = ""
    depth = table_depth = 0
    for line in _logical(text):
        opens = bool(_OPENS.search(line.text)) and not re.search(r"[;\s]end$", line.text)
        closes = line.text == "end" or line.text.startswith(("end.", "end)", "end,", "end "))
        if skipping:
            skipping += opens - closes
            continue
        if found := _TABLE.match(line.text):
            table, owner = found.groups()
            table_depth = depth
        if _SKIPPED.match(line.text) and opens:
            skipping = 1
        depth += opens - closes
        if owner and closes and depth <= table_depth:
            owner = ""
        yield from _steps(line, table if owner else "", owner)


def _steps(line: _Line, table: str, owner: str) -> Iterator[Step]:
    text = line.text
    if wrapped := _WRAPPED.match(text):
        for part in wrapped.group(1).split(";"):
            yield from _steps(_Line(line.number, part.strip(), line.heredoc), table, owner)
        return
    base = Step(Kind.UNKNOWN, line.number, text)
    text = re.sub(r"\s+(?:if|unless)\s+[^\"']*$", "", text)
    if owner and text.startswith(f"{owner}."):
        called, _rest = _CALL.match(text[len(owner) + 1 :]) or ("", ""), ""
        if isinstance(called, re.Match):
            yield from table_call(Call(called.group(1), called.group(2)), base, table)
        return
    found = _CALL.match(text)
    name = found.group(1) if found else ""
    if found and name == "execute":
        yield from _execute(found.group(2), line, base)
    elif found and name in CALLS:
        yield from CALLS[name](Call(name, found.group(2)), base)
    elif (
        not text
        or name in SILENT
        or _TABLE.match(line.text)
        or ".reset_column_information" in text
        or (
            _FLOW.match(text)
            and not re.search(r"\.(?:update|delete|destroy|execute|save|insert)", text)
        )
    ):
        return
    elif _CODE.match(text) or re.search(r"\.(?:update|delete|destroy|execute|save|insert)", text):
        yield replace(base, kind=Kind.CODE, detail="it runs code that may change any data")
    elif text.endswith("|") or re.match(r"^[\w:\"'\[{%.&|+]+", text) is None:
        return
    else:
        detail = f"nobody has taught the bot what {name or 'this'} does"
        yield replace(base, detail=detail)


def _execute(rest: str, line: _Line, base: Step) -> Iterator[Step]:
    sql = line.heredoc
    if not sql:
        quoted = re.match(r"^\(?\s*([\"'])(.*)\1\s*\)?$", rest.strip(), re.DOTALL)
        sql = quoted.group(2) if quoted else ""
        percent = re.match(r"^\(?\s*%[qQ]?[({\[](.*)[)}\]]\s*\)?$", rest.strip(), re.DOTALL)
        sql = sql or (percent.group(1) if percent else "")
    if not sql or sql.lstrip().startswith("#{"):
        detail = "it runs SQL that is only put together while it runs"
        yield replace(base, kind=Kind.CODE, detail=detail)
        return
    sql = re.sub(r"#\{[^}]*\}", "${value}", sql)
    for step in read_sql(sql, "postgres", base.line):
        yield replace(step, line=base.line)


def _logical(text: str) -> Iterator[_Line]:
    """Join the lines of one statement, and take heredocs out of it."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        start, said, heredoc = at, "", ""
        while at < len(lines):
            piece = _bare(lines[at])
            at += 1
            said = f"{said} {piece}".strip()
            if mark := _HEREDOC.search(piece):
                end = next(
                    (row for row in range(at, len(lines)) if lines[row].strip() == mark.group(2)),
                    len(lines),
                )
                heredoc = "\n".join(lines[at:end])
                at = end + 1
            if at - start > 200 or not _goes_on(said, lines[at] if at < len(lines) else ""):
                break
        if said:
            yield _Line(start + 1, said, heredoc)


def _bare(line: str) -> str:
    """A line without its comment."""
    stripped = line.strip()
    if stripped.startswith("#"):
        return ""
    return re.sub(r"\s#\s[^\"']*$", "", stripped)


def _goes_on(said: str, following: str) -> bool:
    if said.endswith(("|", "do")):
        return False
    if said.endswith((",", "\\", ".", "(", "[", "{", "&&", "||", "=")):
        return True
    if following.lstrip().startswith((".", "&.")):
        return True
    opened = sum(said.count(one) for one in "([{") - sum(said.count(one) for one in ")]}")
    return opened > 0
