"""What a revision changes, why that is its tier, and whether a rollback of it is safe."""

import re
from collections.abc import Sequence
from typing import Final

from bot.core.assessment import Assessment, Statement
from bot.core.canary import Canary, RolledBack, RollingBack
from bot.core.plan import Plan
from bot.slack.text import clip, name
from bot.slack.views.kit import Block, code, strong, who, words

Line = list[Block]

_URL: Final = re.compile(r"https://[!#-;=?-\[\]_a-z~]{3,1000}")

MOST_STATEMENTS: Final = 3
MOST_REASONS: Final = 5
LONGEST: Final = 280


def unsafe(found: Assessment | None, *, ways_out: bool = False) -> list[Line]:
    """That the schema would not go back with the traffic, and which statements make it so."""
    if found is not None and not found.seen:
        said = "nobody has seen what it changes. Look at it first."
        return [[strong("❓ Nobody knows whether a rollback is safe: "), words(said)]]
    if found is None or (found.rollback_is_safe and not found.unclear):
        return []
    if found.rollback_is_safe:
        return [
            [
                strong("❓ Nobody knows whether a rollback is safe: "),
                words("its migrations hold what was not understood. Look at it first."),
            ],
            *_statements(found.unclear, ways_out=ways_out),
        ]
    first = [
        strong("⛔ A rollback is not safe: "),
        words("the traffic can go back to stable, but stable does not fit the new schema."),
    ]
    return [first, *_statements(found.not_additive, ways_out=ways_out)]


def _statements(statements: Sequence[Statement], *, ways_out: bool) -> list[Line]:
    lines: list[Line] = []
    for one in statements[:MOST_STATEMENTS]:
        where = code(f"{_short(one.path)}:{one.line}")
        lines.append([where, words(" "), code(one.text), words(f": {clip(one.why, LONGEST)}")])
        if ways_out and one.way_out:
            lines.append([strong("Instead: "), words(clip(one.way_out, LONGEST))])
    left = len(statements) - MOST_STATEMENTS
    return [*lines, [words(f"… and {left} more.")]] if left > 0 else lines


def _short(path: str) -> str:
    """The end of a path tells more than its beginning."""
    return path if len(path) <= 60 else f"…{path[-59:]}"


def reasons(plan: Plan) -> list[Line]:
    """The tier and why; where several reasons are known, each on a line of its own."""
    why = plan.reasons[:MOST_REASONS]
    left = len(plan.reasons) - len(why)
    more = f" (and {left} more)" if left > 0 else ""
    if not why:
        return []
    if len(why) == 1:
        return [[words("Tier "), strong(name(plan.tier)), words(f": {clip(why[0], LONGEST)}.")]]
    lines: list[Line] = [[words("Tier "), strong(name(plan.tier)), words(f", because{more}:")]]
    return [*lines, *([words(f"• {clip(one, LONGEST)}")] for one in why)]


def contents(found: Assessment | None) -> list[Line]:
    """How much it changes, and where that can be read."""
    if found is None or not found.summary:
        return []
    link: Line = []
    if _URL.fullmatch(found.url):
        link = [words(" · "), {"type": "link", "url": found.url, "text": "read it"}]
    return [[words(f"Change: {clip(found.summary, LONGEST)}"), *link]]


def leave(canary: Canary) -> list[Line]:
    """What was started otherwise than the rules say, and by whose leave."""
    lines: list[Line] = []
    if canary.plan.lowered_from:
        lines.append(
            [
                strong("⬇️ Lowered tier: "),
                words(
                    f"{name(canary.plan.tier)} instead of {name(canary.plan.lowered_from)}, as "
                ),
                who(canary.started_by),
                words(" asked."),
            ]
        )
    if (over := canary.override) is not None:
        lines.append(
            [
                strong("❄️ In spite of the freeze "),
                words(f"of {clip(over.of, 200)}, overridden by "),
                who(over.by),
                words(f": {clip(over.reason, LONGEST)}"),
            ]
        )
    return lines


def after_rollback(canary: Canary) -> list[Line]:
    """The first thing to look at, where the traffic is back on a stable that may not work."""
    found = canary.plan.assessment
    if not isinstance(canary.phase, RollingBack | RolledBack) or found is None:
        return []
    if not found.seen:
        said = "nobody has seen what this revision changes, so its migrations are not known."
        return [[strong("❓ Look at stable: "), words(said)]]
    if found.rollback_is_safe and found.unclear:
        said = "nobody knows whether it works with this revision's migrations."
        told = _statements(found.unclear, ways_out=False)
        return [[strong("❓ Look at stable: "), words(said)], *told]
    if found.rollback_is_safe:
        return []
    first = [
        strong("⛔ Look at stable now: "),
        words(
            "this revision's migrations are not additive, so stable may fail on the new schema."
        ),
    ]
    return [first, *_statements(found.not_additive, ways_out=False)]


def after_promotion(canary: Canary) -> list[Line]:
    """Whether it could be undone; what was stable is not any more."""
    found, before = canary.plan.assessment, canary.stable_revision
    if found is None or found.rollback_is_safe:
        return []
    what = name(before, 48) if before else "what was stable before"
    first = [strong("⛔ Undo is not safe: "), words(f"{what} does not fit the new schema.")]
    return [first, *_statements(found.not_additive, ways_out=False)]


def warning(canary: Canary) -> str:
    """The same for a notification, in a sentence that stands alone; empty where all is well."""
    found = canary.plan.assessment
    if found is None or found.rollback_is_safe or canary.undoes:
        return ""
    if isinstance(canary.phase, RollingBack | RolledBack):
        return "LOOK AT STABLE: it may fail on the new schema."
    return "A rollback is NOT safe."


def marked(canary: Canary) -> list[Line]:
    """What people said of a rollback afterwards."""
    mark = canary.mark
    if mark is None:
        return []
    said = "a false alarm" if mark.false else "a real problem"
    why = f": {clip(mark.reason, LONGEST)}" if mark.reason else "."
    return [[strong(f"Marked as {said}"), words(" by "), who(mark.by), words(why)]]
