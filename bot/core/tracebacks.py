"""Boils a traceback down to its exception and the function it was raised in.

Python, Java, Node, Go and Ruby write theirs in five ways; anything else is left as it is.
"""

import re
from typing import Final

_MARGIN: Final = re.compile(r"^\s*[|+] ?")
"""What stands before every line of an exception group."""

_PYTHON: Final = "Traceback (most recent call last)"
_PYTHON_FRAME: Final = re.compile(r'^\s*File ".*", line \S+, in (.+)$')
_AT_FRAME: Final = re.compile(r"^\s+at (?:async |new |Object\.)?(\S+)")
_GO_FRAME: Final = re.compile(r"^((?:[\w.*/()-]+\.)?[\w.*()\[\]-]+)\(.*\)$")
_RUBY_FRAME: Final = re.compile(r"\.rb:\d+:in [`'](?:block .* in |rescue in )?([^`']+)'")


def condensed(text: str) -> str:
    """The exception's own line with ` [in function]` behind it; other text is given back as is."""
    if _PYTHON in text and "\n" not in text:
        text = text.replace("\\n", "\n")  # a formatter wrote it on one line
    if "\n" not in text:
        return text
    lines = text.splitlines()
    for boil_down in (_python, _go, _ruby, _java_or_node):
        if found := boil_down(lines):
            return found
    return text


def _python(lines: list[str]) -> str:
    """The last traceback: the exception that came out in the end."""
    starts = [number for number, line in enumerate(lines) if _PYTHON in line]
    if not starts:
        return ""
    function, exception = "", ""
    for line in lines[starts[-1] + 1 :]:
        plain = _MARGIN.sub("", line)
        if frame := _PYTHON_FRAME.match(plain):
            function, exception = frame[1], ""
        elif not exception and plain[:1].isalpha():
            exception = plain
    return _joined(exception, function)


def _java_or_node(lines: list[str]) -> str:
    """The innermost cause, or the line above the first frame."""
    frames = [number for number, line in enumerate(lines) if _AT_FRAME.match(line)]
    if not frames:
        return ""
    causes = [
        number
        for number, line in enumerate(lines)
        if line.startswith("Caused by: ") and number + 1 in frames
    ]
    above = causes[-1] if causes else max(frames[0] - 1, 0)
    after = [number for number in frames if number > above]
    frame = _AT_FRAME.match(lines[after[0]]) if after else None
    name = frame[1].partition("(")[0] if frame else ""
    anonymous = "/" in name or name.startswith(("file:", "node:", "<"))
    short = "" if anonymous else ".".join(name.split(".")[-2:])
    return _joined(_exception_above(lines, above).removeprefix("Caused by: "), short)


def _exception_above(lines: list[str], number: int) -> str:
    """The line that names the exception; its message may have gone on over several lines."""
    for candidate in range(number, max(-1, number - 6), -1):
        if _NAMED.search(lines[candidate]):
            return lines[candidate].strip()
    return lines[number].strip()


_NAMED: Final = re.compile(r"\b[\w.$]*(?:Error|Exception|Failure|Throwable)\b")


def _go(lines: list[str]) -> str:
    panics = [line for line in lines if line.startswith(("panic: ", "fatal error: "))]
    if not panics:
        return ""
    frames = (_GO_FRAME.match(line) for line in lines)
    names = [frame[1].rpartition("/")[2] for frame in frames if frame]
    own = [name for name in names if not name.startswith(("panic", "runtime."))]
    return _joined(panics[0], own[0] if own else "")


def _ruby(lines: list[str]) -> str:
    frames = [
        (number, found) for number, line in enumerate(lines) if (found := _RUBY_FRAME.search(line))
    ]
    if not frames:
        return ""
    number, frame = frames[0]
    own = lines[number][frame.end() :].lstrip(": ")
    return _joined(own or _exception_above(lines, max(number - 1, 0)), frame[1])


def _joined(exception: str, function: str) -> str:
    """A message that is long must not push the function out of a bounded signature."""
    if not exception:
        return ""
    return f"{exception[:_LONGEST_MESSAGE]} [in {function}]" if function else exception


_LONGEST_MESSAGE: Final = 110
