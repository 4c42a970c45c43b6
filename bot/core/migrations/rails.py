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
_TABLE: Final = re.compile(r"^change_table[ (]+:?[\"']?([\w.]+)")
_WRAPPED: Final = re.compile(
    r"^(?:safety_assured|reversible|\w+\.up|up_only|with_lock_retries) ?\{ ?(?:\|\w+\|)?(.*)\}$"
)
_ONLY_WHERE: Final = re.compile(r" (?:if|unless) ")
_CHANGES_DATA: Final = re.compile(r"\.(?:update|delete|destroy|execute|save|insert)")
_LONGEST_LINE: Final = 1000
"""Characters of a line, of which runs of blanks count as one."""
_LONGEST_STATEMENT: Final = 10_000
_MOST_LINES: Final = 200
"""Lines of one statement, without its heredocs."""
_DEEPEST: Final = 8
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
    """A statement that may go on over several lines, with its heredocs' text.

    Its blanks are single ones, so no expression below goes over a run of them again and again.
    """

    number: int
    text: str
    heredoc: str = ""
    too_long: bool = False


def read_rails(_: str, text: str) -> Iterator[Step]:
    """Tell what a migration's `change` and `up` do; never raises."""
    skipping = 0
    table = owner = ""
    depth = table_depth = 0
    for line in _logical(text):
        if line.too_long:
            detail = "a line is too long to be read"
            yield Step(Kind.UNKNOWN, line.number, line.text[:200], detail=detail)
            continue
        opens = bool(_OPENS.search(line.text)) and not re.search(r"[;\s]end$", line.text)
        closes = line.text == "end" or line.text.startswith(("end.", "end)", "end,", "end "))
        if skipping:
            skipping += opens - closes
            continue
        if found := _opened_table(line.text):
            table, owner = found
            table_depth = depth
        if _SKIPPED.match(line.text) and opens:
            skipping = 1
        depth += opens - closes
        if owner and closes and depth <= table_depth:
            owner = ""
        yield from _steps(line, table if owner else "", owner)


def _opened_table(text: str) -> tuple[str, str] | None:
    """Tell the table of a `change_table … |t|`, and the name it goes by."""
    found = _TABLE.match(text) if text.endswith("|") else None
    owner = text[:-1].rpartition("|")[2]
    return (found.group(1), owner) if found and re.fullmatch(r"\w+", owner) else None


def _after_quotes(text: str) -> int:
    """Where the text begins that is in no quotes for sure."""
    return max(text.rfind('"'), text.rfind("'")) + 1


def _steps(line: _Line, table: str, owner: str, depth: int = 0) -> Iterator[Step]:
    text = line.text
    base = Step(Kind.UNKNOWN, line.number, text)
    if wrapped := _WRAPPED.match(text):
        if depth >= _DEEPEST:
            yield replace(base, detail="its blocks are too deep to be read")
            return
        for part in wrapped.group(1).split(";"):
            inner = replace(line, text=part.strip())
            yield from _steps(inner, table, owner, depth + 1)
        return
    if where := _ONLY_WHERE.search(text, _after_quotes(text)):
        text = text[: where.start()]
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
        or _opened_table(line.text)
        or ".reset_column_information" in text
        or (_FLOW.match(text) and not _CHANGES_DATA.search(text))
    ):
        return
    elif _CODE.match(text) or _CHANGES_DATA.search(text):
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
    closed = sql.rfind("}") + 1  # behind it nothing that opens is closed
    sql = re.sub(r"#\{[^}]*\}", "${value}", sql[:closed]) + sql[closed:]
    for step in read_sql(sql, "postgres", base.line):
        yield replace(step, line=base.line)


def _logical(text: str) -> Iterator[_Line]:
    """Join the lines of one statement, and take heredocs out of it."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        start, opened, length = at, 0, 0
        said: list[str] = []
        heredocs: list[str] = []
        while at < len(lines):
            piece = _bare(lines[at])
            at += 1
            length += len(piece) + 1
            if len(piece) > _LONGEST_LINE or length > _LONGEST_STATEMENT:
                yield _Line(at, piece, too_long=True)
                said = []
                break
            said += [piece] if piece else []
            opened += sum(map(piece.count, "([{")) - sum(map(piece.count, ")]}"))
            if mark := _HEREDOC.search(piece):
                end = _end_of_heredoc(lines, at, mark.group(2))
                heredocs.append("\n".join(lines[at:end]))
                at = end + 1
            following = lines[at] if at < len(lines) else ""
            last = said[-1] if said else ""
            if at - start > _MOST_LINES or not _goes_on(last, opened, following):
                break
        if said:
            yield _Line(start + 1, " ".join(said), ";\n".join(heredocs))


def _end_of_heredoc(lines: list[str], at: int, mark: str) -> int:
    return next((row for row in range(at, len(lines)) if lines[row].strip() == mark), len(lines))


def _bare(line: str) -> str:
    """A line without its comment, and with single blanks."""
    text = " ".join(line.split())
    if text.startswith("#"):
        return ""
    comment = text.find(" # ", _after_quotes(text))
    return text[:comment] if comment >= 0 else text


def _goes_on(last: str, opened: int, following: str) -> bool:
    """Whether a statement goes on behind its last line, with so many parentheses open."""
    if last.endswith(("|", "do")):
        return False
    if last.endswith((",", "\\", ".", "(", "[", "{", "&&", "||", "=")):
        return True
    return opened > 0 or following.lstrip().startswith((".", "&."))
