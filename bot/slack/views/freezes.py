"""What is said when something is frozen or locked, or may be started again."""

from collections.abc import Sequence

from bot.core.canary import Canary, PendingApproval
from bot.core.freezes import ALL, Freeze, passes
from bot.core.plan import Actor
from bot.slack.text import clip, count, escaped, name
from bot.slack.views import canary as live
from bot.slack.views import kit
from bot.slack.views.kit import Block, Message, at_time, code, named, strong, who, words
from bot.slack.views.listing import end_of, frozen_row, sign

MOST_LISTED = 10
LONGEST_REASON = 300


def frozen(
    freeze: Freeze,
    before: Freeze | None,
    running: Sequence[Canary],
    command: str,
    *,
    stopped: bool = False,
) -> Message:
    """For everybody in the channel: what, until when, by whom, why, and what goes on.

    Args:
        freeze: what is frozen now.
        before: the freeze that it takes the place of.
        running: live canaries that are within its scope.
        command: what the slash command is called here.
        stopped: whether the line was stopped, which is a freeze of everything by another name.

    """
    what = name(freeze.what)
    why = clip(freeze.reason, LONGEST_REASON)
    done = "stopped the line" if stopped else f"froze {what}"
    said = f"{freeze.by.name or freeze.by.id} {done} {freeze.end}"
    text = f"{said}: {why}." if why else f"{said}."
    first = "🛑 The line is stopped" if stopped else f"❄️ {_capital(what)} is frozen"
    live = [one for one in running if not _is_asked(one)]
    block = kit.rich(
        [strong(first), words(" by "), named(freeze.by), words(".")],
        [strong("Why: "), words(why)] if why else [],
        [words(f"Nothing {'' if stopped else 'of it '}is started "), *_until(freeze)],
        _instead(before, "freeze"),
        *(_to_abort(live, command) if stopped else _going_on(live, command)),
        *_held_up([one for one in running if _is_asked(one)], command),
        [
            words("To go on: " if stopped else "To lift it: "),
            code(f"{command} {'resume-the-line' if stopped else freeze.lifted_by}"),
        ],
    )
    return Message(escaped(text, kit.TEXT_LENGTH), [block])


def locked(lock: Freeze, before: Freeze | None, running: Canary | None, command: str) -> Message:
    """For everybody in the channel: who alone may start it, until when and why."""
    what, why = name(lock.what), clip(lock.reason, LONGEST_REASON)
    said = f"{lock.by.name or lock.by.id} locked {what} {lock.end}"
    text = f"{said}: {why}." if why else f"{said}."
    live = [running] if running is not None else []
    block = kit.rich(
        [strong(f"🔒 {what} is locked"), words(" by "), named(lock.by), words(".")],
        [strong("Why: "), words(why)] if why else [],
        [words("Nobody else starts it "), *_until(lock)],
        _instead(before, "lock"),
        *_going_on([one for one in live if not _is_asked(one)], command),
        *_held_up([one for one in live if _is_others(one, lock)], command),
        [words("To unlock it: "), code(f"{command} {lock.lifted_by}")],
    )
    return Message(escaped(text, kit.TEXT_LENGTH), [block])


def locked_already(lock: Freeze, command: str) -> Message:
    """For whoever wants to lock what somebody else has locked."""
    what = name(lock.what)
    why = f": {clip(lock.reason, LONGEST_REASON)}" if lock.reason else ""
    first = f"Not locked: somebody else has locked {what} already, so nothing changed."
    row = [who(lock.by), words(" has it "), *end_of(lock), words(f"{why}.")]
    ask = [words("Ask them; anybody can end it with "), code(f"{command} {lock.lifted_by}")]
    return kit.private(first, row, ask)


def lifted(freeze: Freeze, by: Actor, left: Sequence[Freeze]) -> Message:
    """For everybody in the channel: what may be started again."""
    what, kind = name(freeze.what), "lock" if freeze.kind == "lock" else "freeze"
    again = [words("Canaries of it may be started again.")]
    still = [[words("Still in force:")], *(frozen_row(one) for one in left[:MOST_LISTED])]
    whose = f", which {freeze.by.name or freeze.by.id} held" if kind == "lock" else ""
    text = f"{by.name or by.id} lifted the {kind} of {what}{whose}."
    if left:
        text = f"{text} Still in force: {', '.join(one.what for one in left)}."
    ended = f"🟢 {_capital(what)} is not {freeze.done} any more"
    first = [strong(ended), words("; lifted by "), named(by), words(".")]
    held = kind == "lock" and freeze.by.id != by.id
    only_others = any(one.scope in {ALL, freeze.scope} for one in left)
    block = kit.rich(
        first,
        [words("It was locked by "), who(freeze.by), words(".")] if held else [],
        [] if only_others else again,
        *(still if left else []),
    )
    return Message(escaped(text, kit.TEXT_LENGTH), [block])


def not_frozen(scope: str, left: Sequence[Freeze], command: str, *, lock: bool = False) -> Message:
    """Nothing to lift: what is in force instead, with the line that lifts it, if one does."""
    what = "Everything" if scope == ALL else name(scope)
    lead = "is not frozen as a whole" if scope == ALL else "has no freeze of its own"
    lead = "is not locked" if lock else lead
    by_calendar = [one for one in left if one.kind == "calendar" and one.scope in {ALL, scope}]
    if by_calendar and not lock:
        lead = "is frozen by the calendar, which no command lifts"
    rows: list[list[Block]] = []
    for one in left[:MOST_LISTED]:
        rows += [frozen_row(one), [words("   "), *_way_out(one, command)]]
    others = "Nothing is frozen either." if lock else "Nothing else is frozen either."
    more = f" What is {'in force' if lock else 'frozen'}:" if left else f" {others}"
    return kit.private(f"{what} {lead}, so nothing changed.{more}", *rows)


def in_the_way(freeze: Freeze) -> list[Block]:
    """For the form that starts: who keeps it from that, why, until when, and what can be done."""
    why = f": {clip(freeze.reason, LONGEST_REASON)}" if freeze.reason else ""
    by = named(freeze.by) if freeze.kind == "calendar" else who(freeze.by)
    done = strong(f"{sign(freeze)} {freeze.done.capitalize()}: {name(freeze.what)}")
    by_leave = [words("or an approver starts it with "), code("--override REASON"), words(".")]
    held = [done, words(" by "), by, words(" "), *end_of(freeze)]
    if freeze.kind == "calendar":
        kept = "Nothing can be started until then: no command lifts it, "
        return [*held, words(f"{why}. {kept}"), *by_leave]
    whoever = "Nobody else can start it" if freeze.kind == "lock" else "Nothing can be started"
    then = " until then" if freeze.until is not None else ""
    lifted = "unlocked" if freeze.kind == "lock" else "lifted"
    kept = f"{whoever}{then}, unless it is {lifted}: "
    way = code(f"/canary {freeze.lifted_by}")
    return [*held, words(f"{why}. {kept}"), way, words(", "), *by_leave]


def _way_out(freeze: Freeze, command: str) -> list[Block]:
    """The line that ends it; of the calendar, what can be done instead."""
    if freeze.kind != "calendar":
        return [code(f"{command} {freeze.lifted_by}")]
    return [
        words("It stands in the configuration. An approver may start all the same: "),
        code(f"{command} start … --override REASON"),
    ]


def _until(freeze: Freeze) -> list[Block]:
    """The end as each reader's clock has it, and as it is typed."""
    if freeze.until is None:
        return [words(f"{freeze.end}.")]
    end = f"{freeze.until:%Y-%m-%d %H:%M} UTC"
    return [*end_of(freeze), words(f" ({end}; times that are typed are read as UTC).")]


def _instead(before: Freeze | None, kind: str) -> list[Block]:
    if before is None:
        return []
    return [words(f"This takes the place of the {kind} "), *end_of(before), words(".")]


def _to_abort(running: Sequence[Canary], command: str) -> list[list[Block]]:
    """What is live while the line is stopped, and the lines that take all of it back."""
    if not running:
        return [[words("No canary is live.")]]
    rows = [[words(f"Still live: {count(len(running), 'canary', 'canaries')}, judged as before:")]]
    rows += [[words(f"   {live.headline(one)}")] for one in running[:MOST_LISTED]]
    more = len(running) - MOST_LISTED
    rows += [[words(f"   and {more} more: "), code(f"{command} list")]] if more > 0 else []
    hint = [words("To abort all of it, one line each: ")]
    for place, one in enumerate(running[:MOST_LISTED]):
        hint += [words(" ")] if place else []
        hint.append(code(f"{command} abort {name(one.id)}"))
    return [*rows, hint]


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


def _is_others(canary: Canary, lock: Freeze) -> bool:
    return _is_asked(canary) and not passes(lock, canary.started_by)


def _held_up(asked: Sequence[Canary], command: str) -> list[list[Block]]:
    """What waits for a yes cannot get it during the freeze, and its time runs on."""
    if not asked:
        return []
    what = "start waits" if len(asked) == 1 else "starts wait"
    rows = [[words(f"{len(asked)} {what} for approval, which is refused until this is over:")]]
    for one in asked[:MOST_LISTED]:
        assert isinstance(one.phase, PendingApproval)
        row = [words(f"   {live.subject(one)} · never starts if nobody has approved it by ")]
        row += [at_time(one.phase.expires_at), words(" · to drop it ")]
        rows.append([*row, code(f"{command} abort {name(one.id)}")])
    more = len(asked) - MOST_LISTED
    return [*rows, [words(f"   and {more} more")]] if more > 0 else rows


def _capital(what: str) -> str:
    return "Everything" if what == "everything" else what
