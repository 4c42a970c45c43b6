"""What is said when something is frozen or may be started again."""

from collections.abc import Sequence

from bot.core.canary import Canary, PendingApproval
from bot.core.freezes import ALL, Freeze
from bot.core.plan import Actor
from bot.slack.text import clip, count, escaped, name
from bot.slack.views import canary as live
from bot.slack.views import kit
from bot.slack.views.kit import Block, Message, at_time, code, named, on_day, strong, words
from bot.slack.views.listing import frozen_row

MOST_LISTED = 10
LONGEST_REASON = 300


def frozen(
    freeze: Freeze, before: Freeze | None, running: Sequence[Canary], command: str
) -> Message:
    """For everybody in the channel: what, until when, by whom, why, and what goes on."""
    what = name(freeze.what)
    end = f"{freeze.until:%Y-%m-%d %H:%M} UTC"
    ends = [words("Nothing of it is started until "), on_day(freeze.until), words(f" ({end}; ")]
    ends.append(words("times that are typed are read as UTC)."))
    why = clip(freeze.reason, LONGEST_REASON)
    instead = (
        [words("This takes the place of the freeze until "), on_day(before.until)]
        if (before)
        else []
    )
    said = f"{freeze.by.name or freeze.by.id} froze {what} until {end}"
    text = f"{said}: {why}." if why else f"{said}."
    block = kit.rich(
        [strong(f"❄️ {_capital(what)} is frozen"), words(" by "), named(freeze.by), words(".")],
        [strong("Why: "), words(why)] if why else [],
        ends,
        [*instead, words(".")] if instead else [],
        *_going_on([one for one in running if not _is_asked(one)], command),
        *_held_up([one for one in running if _is_asked(one)], command),
        [words("To lift it: "), code(f"{command} unfreeze {freeze.scope}")],
    )
    return Message(escaped(text, kit.TEXT_LENGTH), [block])


def lifted(freeze: Freeze, by: Actor, left: Sequence[Freeze]) -> Message:
    """For everybody in the channel: what may be started again."""
    what = name(freeze.what)
    again = [words("Canaries of it may be started again.")]
    still = [[words("Still in force:")], *(frozen_row(one) for one in left[:MOST_LISTED])]
    text = f"{by.name or by.id} lifted the freeze of {what}."
    if left:
        text = f"{text} Still frozen: {', '.join(one.what for one in left)}."
    first = [strong(f"🟢 {_capital(what)} is not frozen any more"), words("; lifted by ")]
    only_others = any(one.scope == ALL for one in left)
    block = kit.rich(
        [*first, named(by), words(".")],
        [] if only_others else again,
        *(still if left else []),
    )
    return Message(escaped(text, kit.TEXT_LENGTH), [block])


def not_frozen(scope: str, left: Sequence[Freeze], command: str) -> Message:
    """Nothing to lift: what is frozen instead, with the line that lifts it."""
    what = "Everything" if scope == ALL else name(scope)
    lead = "is not frozen as a whole" if scope == ALL else "has no freeze of its own"
    rows: list[list[Block]] = []
    for one in left[:MOST_LISTED]:
        rows += [frozen_row(one), [words("   "), code(f"{command} unfreeze {one.scope}")]]
    more = " What is frozen:" if left else " Nothing else is frozen either."
    return kit.private(f"{what} {lead}, so nothing changed.{more}", *rows)


def _going_on(running: Sequence[Canary], command: str) -> list[list[Block]]:
    """Live canaries are not stopped by a freeze: which, and how to."""
    if not running:
        return []
    goes = "goes on, judged as before" if len(running) == 1 else "go on, judged as before"
    rows = [[words(f"{count(len(running), 'live canary', 'live canaries')} {goes}:")]]
    for one in running[:MOST_LISTED]:
        pause, abort = f"{command} pause {name(one.id)}", f"{command} abort {name(one.id)}"
        about = [words(f"   {live.headline(one)} · to stop it "), code(abort)]
        rows.append([*about, words(" · to hold it "), code(pause)])
    more = len(running) - MOST_LISTED
    return [*rows, [words(f"   and {more} more")]] if more > 0 else rows


def _is_asked(canary: Canary) -> bool:
    return isinstance(canary.phase, PendingApproval)


def _held_up(asked: Sequence[Canary], command: str) -> list[list[Block]]:
    """What waits for a yes cannot get it during the freeze, and its time runs on."""
    if not asked:
        return []
    what = "start waits" if len(asked) == 1 else "starts wait"
    rows = [
        [words(f"{len(asked)} {what} for approval, which is refused until the freeze is over:")]
    ]
    for one in asked[:MOST_LISTED]:
        assert isinstance(one.phase, PendingApproval)
        row = [words(f"   {live.subject(one)} · never starts if nobody has approved it by ")]
        row += [at_time(one.phase.expires_at), words(" · to drop it ")]
        rows.append([*row, code(f"{command} abort {name(one.id)}")])
    more = len(asked) - MOST_LISTED
    return [*rows, [words(f"   and {more} more")]] if more > 0 else rows


def _capital(what: str) -> str:
    return "Everything" if what == "everything" else what
