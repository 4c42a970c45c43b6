"""Takes secrets and personal data out of a log line, and leaves what explains the error.

A secret is known by its name (`password=…`, `"apiKey": "…"`), by its place (the user of an
address, a header) or by its shape (a JWT, an AWS key); personal data by its shape (an email, a
card number) or by its place (the values of a database's complaint). IP addresses stay: which host
did not answer is most of what such a line says. Every pattern is linear in the length of the line.
"""

import re
from collections.abc import Callable
from typing import Final

LONGEST_INPUT: Final = 8192
"""Characters that are looked at; of a longer text the first and the last half of this."""
LONGEST_LINE: Final = 500
"""Characters of a redacted line."""

_HARMLESS: Final = (
    r"(?:none|null|nil|undefined|true|false|empty|missing|required|invalid|expired|revoked"
    r"|incorrect|wrong|unknown|denied|rejected|failed|not|is|was|has|must|<\w+>)"
    r"(?=[\s,;:)}\]\"']|\.?(?:\s|$))"
)
"""Words that stand where a secret might, and explain the error."""

_TELLING_NAME: Final = (
    r"(?:passw(?:or)?d|passphrase|secret|token|api[_.\- ]?key|(?:access|private|signing|encryption"
    r"|account|shared|master)[_.\- ]?key|credentials?|session[_.-]?(?:id|key)|connection[_.-]?string"
    r"|authorization|cookie|jwt|(?<![a-z])(?:pwd|pass|pin|otp|cvv|cvc|ssn|iban|sid|auth|dsn)(?![a-z]))"
    r"[\w-]{0,20}"
)

_VALUE: Final = (
    r"(?:\\\"(?:(?!\\\").)*(?:\\\"|$)"  # quoted inside a quoted string
    r"|\"(?:[^\"\\]|\\.)*(?:\"|$)"
    r"|'(?:[^'\\]|\\.)*(?:'|$)"
    r"|\[[^\]]*(?:\]|$)|\{[^}]*(?:\}|$)"
    # Bare: up to white space, to a quote that closes what is around, or to the next name.
    r"|(?:(?!\\?[\"'](?:[\s,;:}\])]|$)|[,;&]\s*[\w.\-\"']+\s*[=:])[^\s])+)"
)

Replacement = str | Callable[[re.Match[str]], str]


def _luhn(match: re.Match[str]) -> str:
    """Whether these digits are a card number: every second one doubled, the sum ends in 0."""
    digits = [int(each) for each in match[0] if each.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return "<card>" if (sum(digits[::-2]) + sum(doubled)) % 10 == 0 else match[0]


def _random(match: re.Match[str]) -> str:
    """A long run of letters and digits is a secret, unless it is a name, a UUID, a pod or a trace."""
    text = match[0]
    is_name = sum(each.isdigit() for each in text) < 3
    is_host = _HOST.fullmatch(text) is not None
    is_trace = _TRACE.search(match.string, max(0, match.start() - 30), match.start())
    return text if is_name or is_host or is_trace else "<secret>"


def _mixed(match: re.Match[str]) -> str:
    """An AWS secret key has letters of both cases and digits; a path seldom has."""
    kinds = (str.isupper, str.islower, str.isdigit)
    return "<secret>" if all(any(map(kind, match[0])) for kind in kinds) else match[0]


_TRACE: Final = re.compile(
    r"(?i)(?:trace|span|request|correlation|commit)[\w-]*[\"']?[\s=:]+[\"']?$"
)
_HOST: Final = re.compile(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?:[a-z0-9]{1,12}-){2,}[a-z0-9]{1,12}"
)

_RULES: Final[tuple[tuple[re.Pattern[str], Replacement], ...]] = (
    (re.compile(r"\x1b\[[0-9;?]*[A-Za-z]"), ""),  # colours
    (re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"), " "),
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:(?!-----END).)*(?:-----END[A-Z ]{0,50}-----|$)?",
            re.DOTALL,
        ),
        "<secret>",
    ),
    (re.compile(r"(?<=://)[^\s/?#\"'<>@]{0,200}(?::[^\s\"'<>]{0,200})?@"), "<secret>@"),
    (
        re.compile(
            r"(?i)((?:proxy-)?authorization|(?:set-)?cookie2?|x-[a-z-]{0,20}(?:key|token|auth))"
            r"(\\?[\"']?\s*(?:=>|[:=])\s*)(?:\\?([\"'])(?:(?!\\?\3).)*|[^\r\n\"']*)"
        ),
        r"\1\2<secret>",
    ),
    (re.compile(r"(?i)\b(bearer)\s+(?!" + _HARMLESS + r")[^\s,;\"']{4,}"), r"\1 <secret>"),
    (re.compile(r"\b([Bb]asic|BASIC)\s+(?=[a-z]*[A-Z0-9+/=])[\w+/=-]{6,}"), r"\1 <secret>"),
    (
        re.compile(rf"(?is)(<(\w*{_TELLING_NAME})(?:\s[^<>]*)?>)[^<]*(?=</)"),
        r"\1<secret>",
    ),
    (
        re.compile(rf"(?i)(--?{_TELLING_NAME}\s+)(?!-|{_HARMLESS})[^\s\"']+"),
        r"\1<secret>",
    ),
    (
        re.compile(
            rf"(?is)({_TELLING_NAME}(?:\\?[\"'`])?\]?\s*(?:=>|:=|=|:(?!:|//))\s*+)"
            rf"(?!{_HARMLESS}){_VALUE}"
        ),
        r"\1<secret>",
    ),
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)*"), "<secret>"),
    (
        re.compile(
            r"\b(?:(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{12,}|gh[pousr]_\w{16,}|github_pat_\w{16,}"
            r"|glpat-[\w-]{16,}|xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}|[srp]k[_-][\w-]{16,}"
            r"|AIza[\w-]{30,}|ya29\.[\w-]{16,}|npm_\w{20,}|pypi-[\w-]{16,}|SG\.[\w-]{16,}[\w.-]*"
            r"|hf_\w{20,}|dop_v1_\w{16,}|shp(?:at|ss|ca)_\w{16,}|whsec_\w{16,})"
        ),
        "<secret>",
    ),
    (re.compile(r"(?<=hooks\.slack\.com/)[\w/-]+"), "<secret>"),
    (
        re.compile(r"(?i)([?&](?:[\w-]{0,20}sig(?:nature)?|key|code|x-amz-[\w-]+)=)[^\s&\"']+"),
        r"\1<secret>",
    ),
    (
        re.compile(r"(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"),
        _mixed,
    ),
    (re.compile(r"[A-Za-z0-9+_-]{32,}={0,2}"), _random),
    # What databases say of the row in question.
    (
        re.compile(
            r"(?i)(\bkey \([^()]{1,200}\)=\().{0,500}?\)(?= (?:already|is not|is still|conflicts)|[.\s]*$)"
        ),
        r"\1<value>)",
    ),
    (re.compile(r"(?is)(failing row contains \().*"), r"\1<value>)"),
    (re.compile(r"(?i)(duplicate entry )'.*?'(?= for key|$)"), r"\1'<value>'"),
    (re.compile(r"(?i)(\[parameters: ).*(\])"), r"\1<value>\2"),
    (re.compile(r"(?<![\w.+%'-])[\w.+%'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), "<email>"),
    (re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])"), _luhn),
)


def redact(line: str) -> str:
    """The line without secrets and personal data, on one line, at most `LONGEST_LINE` long.

    What was taken out is named: `<secret>`, `<email>`, `<card>`, `<value>`. Of a traceback that is
    too long its beginning and its end stay, because the exception is at the end.
    """
    text = re.sub(r"\s*\n\s*", " ↵ ", scrubbed(line).strip())
    if len(text) <= LONGEST_LINE:
        return text
    if " ↵ " not in text:
        return text[: LONGEST_LINE - 1] + "…"
    return f"{text[:149]}…{text[150 - LONGEST_LINE :]}"


def scrubbed(line: str) -> str:
    """The text without secrets and personal data, its lines and its length as they were.

    Of a text longer than `LONGEST_INPUT` the middle is missing.
    """
    text = clipped(line)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def clipped(line: str) -> str:
    """The beginning and the end of a text that is too long to be looked at whole.

    The end starts with a whole line: half a secret could not be recognised.
    """
    if len(line) <= LONGEST_INPUT:
        return line
    head, tail = line[: LONGEST_INPUT // 2], line[-LONGEST_INPUT // 2 :]
    _, newline, tail = tail.partition("\n")
    return f"{head}\n{tail}" if newline else line[:LONGEST_INPUT]
