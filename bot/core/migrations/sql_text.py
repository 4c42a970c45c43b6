"""Cuts SQL text of any dialect into tokens and statements, with the line of each."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

_WORD: Final = re.compile(r"(?:[^\W\d]|[@#]|\$\{[\w.]+\})(?:[\w$@#]|\$\{[\w.]+\})*|\d[\w.]*")
_BRACKETED: Final = re.compile(r"\[[^\W\d][\w .$-]*\]")
_DOLLAR: Final = re.compile(r"\$(?:[^\W\d]\w*)?\$")
_SPACE: Final = re.compile(r"\s+")
_DELIMITER: Final = re.compile(r"(?im)^[ \t]*delimiter[ \t]+(\S+)[ \t]*$")
_BATCH: Final = re.compile(r"(?i)^go\b[ \t]*\d*[ \t]*$")
_NEAR: Final = 80
"""Characters on either side of GO that are looked at: it stands on a line of its own."""
_BODIES: Final = frozenset(
    {"procedure", "function", "trigger", "event", "package", "rule", "proc"}
)
_NO_BODIES: Final = frozenset({"table", "index", "view", "type", "sequence", "schema", "("})
_NEW: Final = frozenset(
    {
        ("alter", "table"),
        ("create", "table"),
        ("drop", "table"),
        ("drop", "view"),
        ("truncate", "table"),
        ("create", "index"),
        ("create", "unique"),
        ("create", "view"),
        ("insert", "into"),
        ("delete", "from"),
        ("alter", "type"),
        ("create", "type"),
        ("rename", "table"),
        ("drop", "type"),
    }
)
_WHOLE: Final = frozenset({"with", "explain", "if", "declare", "begin", "while", "merge", "do"})


class Token(NamedTuple):
    """One piece of a statement.

    Attributes:
        kind: word, name (quoted), string, body (dollar-quoted), mark.
        text: as written; of names and bodies without their quotes.
        low: in lower case, of words and marks; empty of others.

    """

    kind: str
    text: str
    line: int
    start: int
    end: int
    low: str = ""


@dataclass(frozen=True, slots=True)
class Sql:
    """One statement: its tokens, never none, and its text as written."""

    tokens: tuple[Token, ...]
    text: str

    @property
    def line(self) -> int:
        """The line its first token is on."""
        return self.tokens[0].line

    @property
    def runs_later(self) -> bool:
        """Whether it creates a function, a trigger or the like, whose body is only kept."""
        return _has_body(self.tokens)

    def opens(self, *words: str) -> bool:
        """Whether it begins with these words."""
        return tuple(token.low for token in self.tokens[: len(words)]) == words


class UnclosedError(ValueError):
    """A quote or a comment is opened and never closed."""


def tokens(text: str, *, escapes: bool = False, line: int = 1) -> Iterator[Token]:
    """Cut text into tokens; comments and white space are left out.

    Args:
        text: SQL.
        escapes: whether a backslash escapes in every string, as in MySQL.
        line: of the text's first line.

    Raises:
        UnclosedError: after the last token that could be told.

    """
    at = 0
    while at < len(text):
        start = at
        at = _skipped(text, at, escapes=escapes)
        if at == start:
            token = _token(text, at, line, escapes=escapes)
            yield token
            at = token.end
        line += text.count("\n", start, at)


def _skipped(text: str, at: int, *, escapes: bool) -> int:
    """Step over white space or one comment; what MySQL runs in a comment is no comment."""
    if space := _SPACE.match(text, at):
        return space.end()
    if text.startswith("--", at) or (escapes and text[at] == "#"):
        found = text.find("\n", at)
        return found if found >= 0 else len(text)
    if text.startswith("/*!", at):
        at += 3
        while at < len(text) and text[at].isdigit():
            at += 1
    elif text.startswith("*/", at):
        at += 2
    elif text.startswith("/*", at):
        at = _close(text, "*/", at + 2)
    return at


def _token(text: str, at: int, line: int, *, escapes: bool) -> Token:
    head, start = text[at], at
    if head == "'" or (head in "eE" and text.startswith("'", at + 1)):
        at = _string(text, at + (head != "'"), "'", escapes=escapes or head != "'")
        return Token("string", text[start:at], line, start, at)
    if head in '"`':
        at = _string(text, at, head, escapes=False)
        return Token("name", text[start + 1 : at - 1], line, start, at)
    opens = text[at - 1 : at] in " \n\t.(," and head == "["
    if opens and (bracket := _BRACKETED.match(text, at)):
        return Token("name", bracket.group()[1:-1], line, start, bracket.end())
    if head == "$" and (dollar := _DOLLAR.match(text, at)):
        at = _close(text, dollar.group(), dollar.end())
        return Token("body", text[dollar.end() : at - len(dollar.group())], line, start, at)
    if word := _WORD.match(text, at):
        return Token("word", word.group(), line, start, word.end(), word.group().lower())
    return Token("mark", head, line, start, at + 1, head)


def _close(text: str, mark: str, at: int) -> int:
    found = text.find(mark, at)
    if found < 0:
        raise UnclosedError(mark)
    return found + len(mark)


def _string(text: str, at: int, quote: str, *, escapes: bool) -> int:
    at += 1
    while True:
        found = text.find(quote, at)
        if found < 0:
            raise UnclosedError(quote)
        if escapes and (found - len(text[at:found].rstrip("\\")) - at) % 2:
            at = found + 1
        elif text.startswith(quote, found + 1):
            at = found + 2
        else:
            return found + 1


def statements(text: str, *, escapes: bool = False, line: int = 1) -> Iterator[Sql]:
    """Cut text into statements, at `;`, at `GO`, at another delimiter that it sets.

    Raises:
        UnclosedError: after the last statement that could be told.

    """
    at, first = 0, line
    delimiter = ";"
    for change in [*_DELIMITER.finditer(text), None]:
        stop = change.start() if change else len(text)
        piece = text[at:stop]
        if delimiter != ";":
            piece = piece.replace(delimiter, ";;" if len(delimiter) > 1 else ";")
        yield from _split(piece, first, escapes=escapes, whole=delimiter != ";")
        if change:
            first += text.count("\n", at, change.end())
            delimiter, at = change.group(1), change.end()


def _has_body(found: Sequence[Token]) -> bool:
    """Whether a statement creates something with a body of statements."""
    if not found or found[0].low not in {"create", "alter"}:
        return False
    for token in found[1:12]:
        if token.low in _BODIES:
            return True
        if token.low in _NO_BODIES:
            return False
    return False


class _Cutter:
    """Where the statement that is being read stands: parentheses, bodies, the one before."""

    def __init__(self) -> None:
        self.tokens: list[Token] = []
        self.depth = 0
        self.blocks = 0

    @property
    def has_body(self) -> bool:
        return _has_body(self.tokens)

    def begins_anew(self, token: Token, following: Token | None) -> bool:
        if not self.tokens or self.depth or self.blocks or token.line == self.tokens[-1].line:
            return False
        if following is None or (token.low, following.low) not in _NEW:
            return False
        return self.tokens[0].low not in _WHOLE and not self.has_body

    def take(self, token: Token, following: Token | None) -> None:
        self.tokens.append(token)
        if token.low in {"(", ")"}:
            self.depth = max(0, self.depth + (1 if token.low == "(" else -1))
        elif token.low in {"begin", "case"} and (self.blocks or self.has_body):
            self.blocks += 1
        elif token.low == "end" and self.blocks:
            after = following.low if following else ""
            self.blocks -= after not in {"if", "loop", "while", "repeat", "for"}


def _split(text: str, line: int, *, escapes: bool, whole: bool) -> Iterator[Sql]:
    found: list[Token] = []
    broken: UnclosedError | None = None
    try:
        found.extend(tokens(text, escapes=escapes, line=line))
    except UnclosedError as error:
        broken = error
    cutter = _Cutter()
    for index, token in enumerate(found):
        following = found[index + 1] if index + 1 < len(found) else None
        ends = token.low == ";" and not cutter.blocks
        if whole and token.low == ";" and cutter.has_body:
            ends = following is not None and following.low == ";" and following.start == token.end
            ends = ends or following is None
        alone = token.low == "go" and _is_alone(text, token)
        if ends or alone or cutter.begins_anew(token, following):
            yield from _finished(cutter, text)
            cutter = _Cutter()
            if ends or alone:
                continue
        if token.low != ";" or cutter.tokens:
            cutter.take(token, following)
    yield from _finished(cutter, text)
    if broken:
        raise broken


def _finished(cutter: _Cutter, text: str) -> Iterator[Sql]:
    if cutter.tokens:
        yield Sql(tuple(cutter.tokens), text[cutter.tokens[0].start : cutter.tokens[-1].end])


def _is_alone(text: str, token: Token) -> bool:
    start = text.rfind("\n", max(0, token.start - _NEAR), token.start) + 1
    if not start and token.start > _NEAR:
        return False
    end = text.find("\n", token.end, token.end + _NEAR)
    end = end if end >= 0 else min(len(text), token.end + _NEAR)
    return bool(_BATCH.match(text[start:end].strip()))
