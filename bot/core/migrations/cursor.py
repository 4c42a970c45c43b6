"""A reader's place in the tokens of a statement."""

from bot.core.migrations.sql_text import Token

_NAMING = frozenset({"word", "name"})


class Cursor:
    """Walks over tokens; at the end every question is answered with no."""

    def __init__(self, tokens: tuple[Token, ...], at: int = 0) -> None:
        self.tokens = tokens
        self.at = at

    @property
    def low(self) -> str:
        """The next word or mark in lower case; empty of others and at the end."""
        return self.tokens[self.at].low if self.at < len(self.tokens) else ""

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.tokens)

    def ahead(self, *words: str) -> bool:
        """Whether these words come next."""
        following = self.tokens[self.at : self.at + len(words)]
        return tuple(token.low for token in following) == words

    def accept(self, *words: str) -> bool:
        """Step over these words, if all of them come next."""
        if not self.ahead(*words):
            return False
        self.at += len(words)
        return True

    def accept_any(self, *words: str) -> str:
        """Step over the next word if it is one of these; tells which."""
        low = self.low
        if low and low in words:
            self.at += 1
            return low
        return ""

    def existence(self) -> bool:
        """Step over IF EXISTS or IF NOT EXISTS; whether there was one."""
        return self.accept("if", "exists") or self.accept("if", "not", "exists")

    def name(self) -> str:
        """Step over a name, with its schema, and tell it; empty where there is none."""
        parts: list[str] = []
        while not self.done and self.tokens[self.at].kind in _NAMING:
            parts.append(self.tokens[self.at].text)
            self.at += 1
            if not self.accept("."):
                break
        return ".".join(parts)

    def bracket(self) -> tuple[Token, ...]:
        """Step over parentheses, if they come next; what is inside."""
        if self.low != "(":
            return ()
        depth, start = 0, self.at + 1
        while not self.done:
            depth += {"(": 1, ")": -1}.get(self.low, 0)
            self.at += 1
            if depth == 0:
                return self.tokens[start : self.at - 1]
        return self.tokens[start:]

    def rest(self) -> tuple[Token, ...]:
        """Everything that is left."""
        return self.tokens[self.at :]


def lows(tokens: tuple[Token, ...]) -> tuple[str, ...]:
    """Words and marks in lower case."""
    return tuple(token.low for token in tokens)


def has(tokens: tuple[Token, ...], *words: str) -> bool:
    """Whether these words come one after the other, anywhere."""
    low = lows(tokens)
    first = words[0]
    return any(low[at : at + len(words)] == words for at, one in enumerate(low) if one == first)


def outer(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Leave out what is in parentheses."""
    depth = 0
    kept: list[Token] = []
    for token in tokens:
        if token.low == "(":
            depth += 1
        elif token.low == ")":
            depth = max(0, depth - 1)
        elif depth == 0:
            kept.append(token)
    return tuple(kept)


def parts(tokens: tuple[Token, ...]) -> list[tuple[Token, ...]]:
    """Cut at the commas that are in no parentheses."""
    depth = 0
    cut: list[list[Token]] = [[]]
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.low, 0)
        if token.low == "," and depth <= 0:
            cut.append([])
        else:
            cut[-1].append(token)
    return [tuple(one) for one in cut if one]


def names_in(tokens: tuple[Token, ...]) -> tuple[str, ...]:
    """The first name of each part: the columns of a list such as `(a, b DESC)`."""
    found = [Cursor(part).name() if not has(part, "(") else "" for part in parts(tokens)]
    return tuple(found) if all(found) else ()


def written(tokens: tuple[Token, ...]) -> str:
    """The tokens as one text, with a space where there was any."""
    pieces: list[str] = []
    for before, token in zip((None, *tokens), tokens, strict=False):
        if before is not None and before.end != token.start:
            pieces.append(" ")
        pieces.append(token.text)
    return "".join(pieces)
