"""Thread replies: what needs eyes, since an edited message notifies nobody."""

from typing import Final

from bot.core.canary import AwaitingDecision, Canary, Cause, PendingApproval, RolledBack
from bot.core.effects import Note, Topic
from bot.core.moves import gate_of
from bot.core.plan import ANYONE
from bot.slack.text import clip, clock_time, duration, escaped
from bot.slack.views import kit, story
from bot.slack.views.canary import subject
from bot.slack.views.change import after_rollback, unsafe, warning
from bot.slack.views.dashboards import further
from bot.slack.views.ended import back_on_stable
from bot.slack.views.kit import Block, Message, at_time, code, named, strong, who, words
from bot.slack.views.slos import explained, headline, suspected

LOG_LINES: Final = 15
LOG_LENGTH: Final = 520
BROADCAST: Final = frozenset({Topic.BREACH, Topic.FLIP_OVERDUE, Topic.ONCALL})
"""Shown in the channel as well: what somebody has to know who did not follow the thread."""

Line = list[Block]


def note_message(canary: Canary, note: Note) -> Message:
    """The thread reply for this note."""
    blocks = [kit.rich(*_lines(canary, note))]
    if note.lines:
        blocks.append(kit.rich([strong("The canary's log:")]))
        blocks.append(kit.preformatted(note.lines, LOG_LINES, LOG_LENGTH))
    sentence = escaped(f"{subject(canary)}: {_sentence(canary, note)}", kit.TEXT_LENGTH)
    return Message(sentence, kit.stamped(blocks, note.at), broadcast=note.topic in BROADCAST)


def _lines(canary: Canary, note: Note) -> list[Line]:
    match note.topic:
        case Topic.BREACH:
            return _breach(canary, note)
        case Topic.ROLLED_BACK:
            return _rolled_back(canary, note)
        case Topic.STARTED:
            return _started(canary, note)
        case Topic.STEP:
            return [[strong("⏫ "), *_reached(canary, note)]]
        case Topic.TROUBLE:
            return _trouble(canary, note)
        case Topic.PROMOTED:
            by = [words(" Approved by "), named(note.by), words(".")] if note.by else []
            return [[strong("✅ Promoted. "), *_said(note), *by]]
        case Topic.REJECTED:
            by = [words(" ("), named(note.by), words(")")] if note.by else []
            return [[strong("🚫 Did not start, no traffic was moved. "), *_said(note), *by]]
        case Topic.DECISION_NEEDED:
            return _decision_needed(canary, note)
        case Topic.DECIDED:
            if note.by is None:
                return [[words("⏱️ "), *_said(note)]]
            return [[words("👤 "), named(note.by), words(f" {note.detail} at "), at_time(note.at)]]
        case Topic.EXTENDED:
            return _extended(note)
        case Topic.FLIP_OVERDUE:
            return _overdue(canary, note)
        case Topic.ONCALL:
            return _oncall(canary, note)
        case Topic.DRIFT:
            return [[strong("⚠️ The traffic is not as asked: "), *_said(note)]]


def _said(note: Note) -> Line:
    return [words(_ending(note.detail))] if note.detail else []


def _ending(text: str) -> str:
    """As a sentence: a capital first, a full stop last."""
    kept = text.strip()
    return kept[:1].upper() + kept[1:] + ("" if kept.endswith((".", "!", "?")) else ".")


def _started(canary: Canary, note: Note) -> list[Line]:
    reason = f": {clip(canary.reason, 300)}" if canary.reason else ""
    by = [words("Started by "), named(canary.started_by), words(f"{reason}.".replace("..", "."))]
    return [[strong("▶️ "), *_reached(canary, note)], by]


def _reached(canary: Canary, note: Note) -> Line:
    """The weight that was read back, and until when it is watched."""
    steps = canary.plan.steps
    step = steps[note.step] if note.step is not None and note.step < len(steps) else steps[0]
    at = [words(" since "), at_time(note.at), words(", watched until ")]
    number = f" (step {(note.step or 0) + 1} of {len(steps)})" if len(steps) > 1 else ""
    until = at_time(note.at + step.window)
    return [strong(note.detail), *at, until, words(f"{number}.")]


def _trouble(canary: Canary, note: Note) -> list[Line]:
    """Worth a look; the numbers do not decide yet."""
    told = [line for finding in note.findings[:3] for line in suspected(finding)]
    return [
        [strong("👀 First sign of trouble, not enough to decide yet:")],
        *(told or [_said(note)]),
        [words(f"It is rolled back at once if this goes on{_what_to_do(canary)}")],
    ]


def _what_to_do(canary: Canary) -> str:
    found = canary.plan.assessment
    if found is None or found.rollback_is_safe:
        return ". Nothing to do now."
    return ", and stable may fail on the new schema: get somebody who knows it now."


def _call(canary: Canary) -> Line:
    """Whoever looks into it, where somebody is named."""
    oncall = canary.plan.escalation.oncall
    if not oncall:
        return []
    return [words("For you to look into: "), kit.mention(oncall)]


def _breach(canary: Canary, note: Note) -> list[Line]:
    told = [line for finding in note.findings[:5] for line in explained(finding)]
    what = [code(canary.service), words(" "), code(canary.revision)]
    return [
        [strong("🚨 Breach: "), *what, words(" is worse than stable.")],
        _where_the_traffic_is(canary),
        *after_rollback(canary),
        *(told or [_said(note)]),
        further(canary, note.at),
        _call(canary),
    ]


def _where_the_traffic_is(canary: Canary) -> Line:
    """The first question of whoever was woken."""
    phase = canary.phase
    if isinstance(phase, RolledBack):
        return back_on_stable(canary, phase.at, phase.took)
    return [strong("⏪ The traffic is going back to stable and is not confirmed yet.")]


def _rolled_back(canary: Canary, note: Note) -> list[Line]:
    phase = canary.phase
    cause = phase.cause if isinstance(phase, RolledBack) else None
    person = cause is not None and cause.kind in {"abort", "undo"}
    by = [named(cause.by), words(".")] if cause and person and cause.by else []
    first = [strong(f"↩️ {_why(cause)}"), *by]
    about = [line for finding in note.findings[:5] for line in explained(finding)]
    said = [] if cause and person and not _reason(cause) else [_because(note, cause)]
    more = [] if person else [further(canary, note.at), _call(canary)]
    where = [_where_the_traffic_is(canary), *after_rollback(canary)]
    return [first, *said, *about, *where, *more]


def _why(cause: Cause | None) -> str:
    match cause.kind if cause else None:
        case "abort":
            return "Aborted by " if cause and cause.by else "Aborted."
        case "undo":
            return "The promotion was undone by " if cause and cause.by else "Undone."
        case "failure":
            return "Rolled back: the rollout failed."
        case _:
            return "Rolled back."


def _because(note: Note, cause: Cause | None) -> Line:
    if cause and cause.kind in {"abort", "undo"}:
        return [words(f"Reason: {_reason(cause)}")]
    return _said(note)


def _reason(cause: Cause) -> str:
    return cause.text.partition(": ")[2]


def _decision_needed(canary: Canary, note: Note) -> list[Line]:
    phase = canary.phase
    match phase:
        case PendingApproval(expires_at=expires_at):
            gate, silence = gate_of(canary, "start"), "it does not start"
        case AwaitingDecision(question=question, expires_at=expires_at):
            gate, silence = gate_of(canary, question), "all traffic goes back to stable"
        case _:  # told late: it has been decided since, and nobody needs to be called
            return [[strong("✋ A decision was asked for: "), *_said(note)]]
    asked: Line = [strong("✋ Decision needed: "), *_said(note)]
    called = [words(" → "), *kit.approvers(gate)]
    if ANYONE in gate.approvers:  # anyone may, so whoever started it has to see to it
        called = [words(" → "), who(canary.started_by)] if gate.author else []
    call = [*called, *story.conditions(canary, gate)]
    by = [words("Use the buttons above. Without an answer by "), at_time(expires_at)]
    risk = unsafe(canary.plan.assessment, ways_out=True)
    return [[*asked, *call], *risk, [*by, words(f", {silence}.")]]


def _extended(note: Note) -> list[Line]:
    return [
        [strong("⏳ Window extended: "), words("there is not enough evidence to decide yet.")],
        _said(note),
        [words("Nothing to do now; a person is asked if it stays like this.")],
    ]


def _overdue(canary: Canary, note: Note) -> list[Line]:
    called = kit.approvers(canary.plan.decision) if canary.plan.decision.approvers else []
    anyone = ANYONE in canary.plan.decision.approvers
    people = [who(canary.started_by), *([words(", "), *called] if called and not anyone else [])]
    if isinstance(canary.phase, RolledBack):
        return [
            [strong("🚨 The rollback took long: "), *_said(note)],
            _where_the_traffic_is(canary),
        ]
    return [
        [strong("🚨 ROLLBACK NOT CONFIRMED. "), words("The canary may still carry traffic.")],
        [words("Why: "), *_said(note)],
        [words("The bot goes on trying.")],
        _by_hand(canary),
        [words("Please look now: "), *people],
    ]


def _oncall(canary: Canary, note: Note) -> list[Line]:
    oncall = canary.plan.escalation.oncall
    called = [kit.mention(oncall)] if oncall else [words("On-call")]
    if isinstance(canary.phase, RolledBack):
        return [
            [strong("🚨 The rollback took long, the on-call was to be woken: "), *_said(note)],
            _where_the_traffic_is(canary),
        ]
    return [
        [strong("🚨 "), *called, strong(": this rollback is still not confirmed.")],
        [words("Why: "), *_said(note)],
        _by_hand(canary),
    ]


def _by_hand(canary: Canary) -> Line:
    """What a person does when the bot cannot."""
    if canary.arms is None:
        return []
    stable, arm = code(canary.arms.stable), code(canary.arms.canary)
    hand = words("Look at the router by hand: all traffic belongs on ")
    return [hand, stable, words(", none on "), arm, words(".")]


def _sentence(canary: Canary, note: Note) -> str:
    """The reply in one sentence, for notifications and screen readers."""
    phase = canary.phase
    where = "the traffic is going back to stable, not confirmed yet."
    if isinstance(phase, RolledBack):
        where = f"all traffic is back on stable, {duration(phase.took)} after the decision."
    detail = _ending(clip(note.detail, 250)) if note.detail else ""
    risk = f" {said}" if (said := warning(canary)) else ""
    by = f" ({note.by.name or note.by.id})" if note.by else ""
    match note.topic:
        case Topic.BREACH:
            numbers = headline(note.findings[0]) if note.findings else detail
            return f"breach. {numbers}; {where}{risk}"
        case Topic.ROLLED_BACK:
            undone = canary.undoes and isinstance(phase, RolledBack)
            done = "the promotion is undone" if undone else "rolled back"
            return f"{done}. {detail} {where[0].upper()}{where[1:]}{risk}"
        case Topic.STARTED:
            return f"started by {canary.started_by.name or canary.started_by.id}. {detail}"
        case Topic.STEP:
            return f"next step. {detail}"
        case Topic.TROUBLE:
            sign = headline(note.findings[0]) if note.findings else detail
            return f"first sign of trouble, not enough to decide yet. {_ending(sign)}"
        case Topic.PROMOTED:
            return f"promoted. {detail}{by}"
        case Topic.REJECTED:
            return f"did not start, no traffic was moved. {detail}{by}"
        case Topic.DECISION_NEEDED:
            if not isinstance(phase, PendingApproval | AwaitingDecision):
                return f"a decision was asked for. {detail}"
            silence = (
                "it does not start" if isinstance(phase, PendingApproval) else "it is rolled back"
            )
            until = f"Without an answer by {clock_time(phase.expires_at)} {silence}."
            return f"a decision is needed. {detail}{risk} {until}"
        case Topic.DECIDED:
            return f"{note.by.name or note.by.id} {note.detail}." if note.by else detail
        case Topic.EXTENDED:
            return f"the window is extended, there is not enough evidence yet. {detail}"
        case Topic.FLIP_OVERDUE:
            if isinstance(phase, RolledBack):
                return f"the rollback took long. {detail} Now {where}"
            return f"ROLLBACK NOT CONFIRMED, the canary may still carry traffic. {detail}"
        case Topic.ONCALL:
            if isinstance(phase, RolledBack):
                return f"the rollback took long. {detail} Now {where}"
            return f"on-call, please look: the rollback is not confirmed. {detail}"
        case Topic.DRIFT:
            return f"the traffic is not as asked. {detail}"
