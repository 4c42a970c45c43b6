"""Results on disk: saved with what they were made from, read again and added up."""

import hashlib
import json
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.judge.runner import Variant
from bench.judge.score import Score

import bot.core.judge

HERE = Path(__file__).parent
CORE = Path(bot.core.judge.__file__).parent.parent
SOURCES = {
    "our judge": (*CORE.glob("judge/*.py"), CORE / "slo.py", CORE / "tuning.py", HERE / "ours.py"),
    "the peers": tuple(HERE.glob("peers/*.py")),
    "the sessions": tuple(
        HERE / f"{name}.py" for name in ("shapes", "session", "defects", "traces")
    ),
}


@dataclass(slots=True)
class Results:
    """Scores, the variant they were made with, and digests of the sources by part."""

    scores: list[Score]
    variant: Variant
    digests: dict[str, str]
    python: str = platform.python_version()

    def save(self, path: Path) -> None:
        """Write them as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        made = {
            "python": self.python,
            "digests": self.digests,
            "variant": asdict(self.variant),
            "scores": [score.saved() for score in self.scores],
        }
        path.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")


def digests() -> dict[str, str]:
    """A digest of the sources of our judge, of the peers and of the sessions, as they are now."""
    return {part: _digest(paths) for part, paths in SOURCES.items()}


def _digest(paths: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:12]


def load(path: Path) -> Results:
    """Read saved results.

    Raises:
        ValueError: naming the file, where it is none or holds no results.

    """
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
        return Results(
            [Score.read(saved) for saved in made["scores"]],
            Variant(**made["variant"]),
            made["digests"],
            made["python"],
        )
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} holds no results: give a file written by --save") from error


def merged(parts: Sequence[Results]) -> Results:
    """All parts as one.

    Raises:
        ValueError: where two hold the same session, or differ in what the judges were fed.

    """
    scores: dict[tuple[str, str], Score] = {}
    for part in parts:
        if part.variant != parts[0].variant:
            raise ValueError("the files differ in --no-history or --pods: print them one by one")
        for score in part.scores:
            known = scores.setdefault((score.judge, str(score.cell)), score)
            if known is not score:
                known.plus(score)
    return Results(list(scores.values()), parts[0].variant, parts[0].digests, parts[0].python)


def mismatches(parts: Sequence[Results]) -> list[str]:
    """What is no longer as it was when the parts were run, one sentence each."""
    now = digests()
    return [
        f"{what} changed since these results were made ({before} then, {now[what]} now)"
        for what in now
        for before in sorted({part.digests.get(what, "unknown") for part in parts} - {now[what]})
    ]
