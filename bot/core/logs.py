"""What a log line says, without what differs from one time to the next.

Two lines of the same fault have the same signature, so that they can be counted and the arms
compared. A signature is for people as well: it is shown where a canary was rolled back.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from bot.core.redaction import redact, scrubbed
from bot.core.tracebacks import condensed

__all__ = ["distinct", "is_error", "redact", "signature"]

LONGEST_SIGNATURE: Final = 160

_ERROR_LEVELS: Final = frozenset(
    (
        *("error", "err", "critical", "crit", "fatal", "alert", "emerg", "emergency", "panic"),
        *("dpanic", "severe", "e", "f"),
    )
)
_NUMERIC_ERROR: Final = 50
"""Pino and Bunyan write 50 for an error and 40 for a warning. Python's number for an error is 40,
but its formatters write names; where one writes numbers, its tracebacks are still seen."""

_LEVEL_IN_TEXT: Final = re.compile(
    r"\b(?:ERROR|CRITICAL|FATAL|SEVERE|EMERG|ALERT|PANIC)\b|^[EF][0-9]{4} "
    r"|(?i:\[(?:error|crit|alert|emerg|fatal)\]|\b(?:level|lvl|severity)[\"']?[=:]\s*[\"']?"
    r"(?:error|critical|fatal|panic|emerg))"
)
_TELLING: Final = re.compile(
    r"\b[A-Z]\w*(?:Error|Exception)\b|\bException\b|(?:^|[\s\]])Error: "
    r"|(?i:traceback \(most recent call last\)|does(?: not|n't) exist"
    r"|no such (?:column|table|relation)|unknown column|invalid (?:column|object) name"
    r"|invalid identifier|undefined method|\bpanic: |\bpanic serving\b|\bfatal error: |segmentation fault"
    r"|core dumped|oom ?killed|out of memory|unhandled (?:promise )?rejection|\buncaught\b"
    r"|deadlock (?:found|detected)|violates [\w -]{0,40}constraint|drift detected"
    r"|\b(?:schema|migrations?)\s(?:is |has |have |are )?(?:drift|mismatch|out of date|behind)"
    r"|(?:pending|unapplied) migrations?\b)"
)

_MONTH: Final = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK: Final = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
_ZONE: Final = r"(?:\s?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?(?![0-9A-Za-z])"
_TOKEN: Final = re.compile(
    rf"""
      (?P<keep> <[a-z]+> )
    | (?P<time>
          [0-9]{{4}}(?P<sep>[-/])[0-9]{{2}}(?P=sep)[0-9]{{2}}(?:[T ]{_CLOCK})?{_ZONE}
        | [0-9]{{1,2}}/{_MONTH}/[0-9]{{4}}[:\s]{_CLOCK}{_ZONE}
        | \b{_MONTH}\s{{1,2}}[0-9]{{1,2}}\s(?:[0-9]{{4}}\s)?{_CLOCK}{_ZONE}
        | \b[IWEF][0-9]{{4}}\s{_CLOCK}\s+[0-9]+
        | (?<![0-9:]){_CLOCK}{_ZONE}
      )
    | (?P<code>
          \bORA-[0-9]{{5}}\b | \bSQLSTATE\W{{1,3}}[0-9A-Z]{{5}}\b | \[Errno\s-?[0-9]{{1,3}}\]
        | \bERROR\s[0-9]{{4}}\s\([0-9A-Z]{{5}}\)
        | \b(?i:status(?:[ _]code)?|http(?:/[0-9.]{{1,3}})?)["']?[:=\s]\s?[1-5][0-9]{{2}}\b
      )
    | (?P<uuid> \b[0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}\b )
    | (?P<ip>
          (?<![\w.])[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}(?::[0-9]{{1,5}})?(?![\w.]*[0-9])
        | \[(?=[0-9a-f.]*:)[0-9a-f:.]{{2,45}}\](?::[0-9]{{1,5}})?
        | (?<![\w:])(?:[0-9a-f]{{1,4}}:){{3,7}}[0-9a-f]{{1,4}}(?![\w:])
        | (?<![\w:])(?=[0-9a-f:]{{0,40}}[0-9])(?=[0-9a-f]{{0,4}}(?::[0-9a-f]{{1,4}}){{0,6}}::)
          [0-9a-f:]{{3,40}}(?![\w:])
      )
    | (?P<hex> \b0x[0-9a-fA-F]+ | (?<=@)[0-9a-f]{{5,16}}\b )
    | (?P<pod> -[0-9a-f]{{7,10}}-[bcdfghjklmnpqrstvwxz2456789]{{5}}(?![\w-]) )
    | (?P<quoted>
          (?<![\w\\])"(?P<double>(?:[^"\\\n]|\\.){{0,400}})"
        | (?<!\w)'(?P<single>[^'\n]{{0,400}})'(?!\w)
        | `(?P<tick>[^`'\n]{{0,400}})[`'](?!\w)
      )
    | (?P<query> \?[\w.%-]+=[^\s"'`]* )
    | (?P<number>
          (?:(?<=[\s=(,\[])[-+])?[0-9][0-9A-Za-z_µ%]*(?:[.,:][0-9][0-9A-Za-z_µ%]*)*
      )
    | (?P<word> [A-Za-z][0-9A-Za-z]* )
    """,
    re.VERBOSE,
)
_PLACEHOLDERS: Final = {
    "time": "<time>",
    "uuid": "<uuid>",
    "ip": "<ip>",
    "hex": "<hex>",
    "pod": "-<pod>",
    "query": "?<query>",
    "number": "<n>",
}

_NAMES_FOLLOW: Final = re.compile(
    r"""(?ix) (?:
        \b(?:column|relation|table|view|index|constraint|schema|database|role|function|procedure
           |trigger|sequence|type|attribute|property|reading|method|variable|module|named|field
           |argument|parameter|object|class|package|command|key|invoke|because|value\sof)
        | \b(?:column|object|import)\sname | nameerror:\sname | keyerror:
      ) [\s(:]{1,2}$
      | ["'`]\.$"""
)
_MESSAGE_FOLLOWS: Final = re.compile(
    r"(?i)(?<![a-z])(?:msg|message|err|error|reason|cause|exception|detail)[\"']?[=:]\s?$"
)
_NAME_BEFORE: Final = re.compile(
    r"(?:\.\"[^\"]{1,80}\")?:? (?:object|is not defined|is undefined|invalid identifier|does)\b"
)
_NAME: Final = re.compile(r"[A-Za-z_.@][\w.@/#:$()<>-]{0,80}")
_LEADING: Final = re.compile(r"^(?:[\[(]?<time>[\])]?[\s,:|-]*)+")


def signature(line: str) -> str:
    """A template of an error line, at most `LONGEST_SIGNATURE` characters on one line.

    What differs from one time to the next is named: `<n>`, `<str>`, `<time>`, `<uuid>`, `<ip>`,
    `<id>` …; what says which fault it is stays: the exception's type, a database's error code, the
    columns and tables in a database's complaint. A traceback becomes its exception and the
    function it was raised in. Nothing secret is in it, and `signature(signature(line))` is
    `signature(line)`.
    """
    text = line
    for _ in range(10):  # cutting it short may leave something more to be named
        before, text = text, _templated(text)
        if text == before:
            break
    return text


def is_error(level: str | None, text: str) -> bool:
    """Whether a line counts as an error.

    By its level, a name in any case or a number, or by its text at any level: a poller that logs
    a traceback as information has failed all the same. Without a level it is looked for in the
    beginning of the text.
    """
    match (level or "").strip().lower():
        case "":
            by_level = _LEVEL_IN_TEXT.search(text[:200]) is not None
        case number if number.isdecimal():
            by_level = int(number[:4]) >= _NUMERIC_ERROR
        case name:
            by_level = name in _ERROR_LEVELS
    return by_level or _TELLING.search(text[:20_000]) is not None


def _templated(text: str) -> str:
    template = _TOKEN.sub(_named, condensed(scrubbed(text)))
    template = _LEADING.sub("", " ".join(template.split())).strip()
    if len(template) > LONGEST_SIGNATURE:
        return template[: LONGEST_SIGNATURE - 1].rstrip() + "…"
    return template


def _named(token: re.Match[str]) -> str:
    """What one piece of the line becomes."""
    match token.lastgroup:
        case "keep" | "code":
            return token[0]
        case "word":
            return _word(token[0])
        case "quoted":
            return _quoted(token)
        case group:
            return _PLACEHOLDERS[group or ""]


def distinct(lines: Sequence[str], most: int, known: Collection[str] = ()) -> tuple[str, ...]:
    """The newest line of each signature with how often it came, at most `most`.

    Newest last, but those whose signature is `known`, which stable logs as well, after all others.
    """
    newest: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for line in lines:
        name = signature(line)
        newest.pop(name, None)  # to the end: it is the newest again
        newest[name] = line
        counts[name] += 1
    news = [item for item in newest.items() if item[0] not in known]
    old = [item for item in newest.items() if item[0] in known]
    kept = [*news[-most:], *old[len(old) - max(0, most - len(news)) :]] if most > 0 else []
    return tuple(f"{counts[name]} x {line}" if counts[name] > 1 else line for name, line in kept)


def _word(word: str) -> str:
    """Letters stay; so do short names with a digit (utf8, s3, k8s), but not versions and ids."""
    letters = word.rstrip("0123456789")
    if letters == word and word.isalpha():
        return word
    if letters.isalpha():
        short = len(word) - len(letters) <= 2 and letters.lower() != "v"
        return word if short else f"{letters}<n>"
    return "<id>" if len(word) >= 6 else word


def _quoted(token: re.Match[str]) -> str:
    """A literal is `<str>`; a message, and the name of a column or a module, stay."""
    content = next(filter(None, token.group("double", "single", "tick")), "")
    before = token.string[max(0, token.start() - 40) : token.start()]
    after = token.string[token.end() : token.end() + 100]
    is_name = _NAME.fullmatch(content) is not None and (
        _NAMES_FOLLOW.search(before) is not None or _NAME_BEFORE.match(after) is not None
    )
    if not (is_name or _MESSAGE_FOLLOWS.search(before) or _TELLING.search(content)):
        return "<str>"
    named = _TOKEN.sub(_named, content.replace('\\"', '"')).replace('"', '\\"')
    return f"{token[0][0]}{named}{token[0][-1]}"
