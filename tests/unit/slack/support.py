"""What the Slack edge's tests share: canaries in every phase, time that is owned, a fake Slack."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from builders import GRACE, NOON, a_canary, a_plan

from bot.core.assessment import Assessment, Impact, Reason, Statement
from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Cause,
    Mark,
    Observing,
    Paused,
    PendingApproval,
    Phase,
    Preparing,
    Promoted,
    Promoting,
    Rejected,
    RolledBack,
    RollingBack,
    Shifting,
    Thread,
)
from bot.core.effects import Note, Topic
from bot.core.judge import begin, look
from bot.core.plan import Approval, Gate, Plan, Step, Weight
from bot.core.slo import (
    Arms,
    Component,
    Histogram,
    LogEvents,
    NoData,
    Readiness,
    Sample,
    Sli,
    Traffic,
)
from bot.core.verdict import Finding, Health

Json = dict[str, Any]
NOW = NOON + timedelta(minutes=5)
GATE = Gate(("S0APPROVE", "U0GRACE01"), timedelta(minutes=30))


def a_judge(looks: int = 30, requests: int = 40, errors: int = 0, *, blind: bool = False) -> Any:
    """A judge that has seen this much in each of its looks, every ten seconds."""
    state = begin(a_plan().objectives)
    bounds, third = (0.05, 0.1, 0.25), requests // 3
    rest = requests - 2 * third
    canary = Traffic(requests, errors, Histogram(bounds, (third, third, rest, 0)))
    more = tuple(19 * count for count in (third, third, rest, 0))
    stable = Traffic(19 * requests, 3, Histogram(bounds, more))
    ready = Readiness((Component("db", ready=True),))
    logs: Json = {"DataError: <*>": LogEvents(errors, "DataError: value too long")}
    for number in range(looks):
        start = NOON + timedelta(seconds=10 * number)
        sample = Sample(
            start,
            start + timedelta(seconds=10),
            NoData("the metrics server does not answer") if blind else Arms(canary, stable),
            Arms(logs if errors else {}, {}),
            Arms(ready, ready),
        )
        state = look(state, sample)
    return state


BREACH = Finding(
    Sli.ERRORS,
    Health.BREACHED,
    canary=0.052,
    stable=0.0048,
    ratio=10.83,
    limit="1.1x stable, 5 %",
    chance=1 / 4213,
    reason="26 of 500 requests failed on the canary, 45 of 9400 on stable",
)
LOGS = Finding(
    Sli.LOGS,
    Health.BREACHED,
    canary=12.0,
    stable=0.0,
    limit="no signature that only the canary logs",
    chance=0.00001,
    reason="12 x “DataError: value too long” on the canary, 0 on stable",
    examples=("DataError: value too long for type character varying(8)",),
)
BREACHED = Cause("breach", "errors: 26 of 500 requests failed", findings=(BREACH, LOGS))
ABORTED = Cause("abort", "aborted by grace: latency looks bad", GRACE)
SILENCE = Cause("no_decision", "nobody decided in time, and silence means no")
UNDONE = Cause("undo", "undone by grace: carts are empty", GRACE)
FAILED = Cause("failure", "the router did not take 5 % after 6 tries: connection refused")
LATER = NOON + timedelta(minutes=20)
LATEST = NOON + timedelta(minutes=40)

PHASES: dict[str, Phase] = {
    "pending_approval": PendingApproval(NOON, LATEST),
    "preparing": Preparing(NOON),
    "preparing_waiting": Preparing(NOON, NOW, "db: not migrated yet"),
    "shifting": Shifting(0, NOON),
    "shifting_again": Shifting(0, NOON, 3, NOW),
    "observing": Observing(0, NOON, LATER, LATEST),
    "observing_extended": Observing(0, NOON, NOW, LATEST, extended=True),
    "paused": Paused(0, GRACE, NOW, timedelta(minutes=15), timedelta(minutes=20)),
    "paused_until": Paused(0, GRACE, NOW, timedelta(minutes=15), timedelta(minutes=20), LATER),
    "awaiting_promote": AwaitingDecision(0, "promote", NOON, LATEST),
    "awaiting_second": AwaitingDecision(0, "promote", NOON, LATEST, (Approval(GRACE, NOW),)),
    "awaiting_thin": AwaitingDecision(0, "thin", NOON, LATEST),
    "awaiting_blind": AwaitingDecision(0, "blind", NOON, LATEST),
    "awaiting_orphan": AwaitingDecision(0, "orphan", NOON, LATEST),
    "promoting": Promoting(0, NOW, GRACE, 2, NOW),
    "promoted": Promoted(LATER),
    "promoted_by_person": Promoted(LATER, GRACE),
    "rolling_back": RollingBack(BREACHED, NOW),
    "rolling_back_overdue": RollingBack(
        BREACHED, NOON, 7, NOW, calls=1, trouble="connection refused"
    ),
    "rolled_back_breach": RolledBack(BREACHED, NOW, timedelta(seconds=0.4)),
    "rolled_back_false": RolledBack(BREACHED, NOW, timedelta(seconds=0.4)),
    "rolled_back_abort": RolledBack(ABORTED, NOW, timedelta(seconds=0.4)),
    "rolled_back_silence": RolledBack(SILENCE, NOW, timedelta(seconds=2)),
    "rolled_back_failure": RolledBack(FAILED, NOW, timedelta(seconds=75)),
    "rolling_back_undo": RollingBack(UNDONE, NOW),
    "rolled_back_undo": RolledBack(UNDONE, NOW, timedelta(seconds=0.4)),
    "rejected": Rejected("nobody approved the start in time", NOW),
    "rejected_by_person": Rejected("aborted by grace", NOW, GRACE),
}
"""Every phase, in every variant that reads differently."""

LINES = (
    "2026-03-02 12:04:58 ERROR DataError: value too long for type character varying(8)",
    "2026-03-02 12:04:59 ERROR Traceback <most recent call last>: `orders` & more",
)
NOTES: dict[str, Note] = {
    topic.value: Note(
        number,
        topic,
        NOW,
        detail="5 of 100 requests from the canary so far",
        findings=(BREACH, LOGS) if topic in {Topic.BREACH, Topic.ROLLED_BACK} else (),
        lines=LINES if topic is Topic.BREACH else (),
        by=GRACE if topic in {Topic.DECIDED, Topic.PROMOTED, Topic.REJECTED} else None,
    )
    for number, topic in enumerate(Topic, 1)
}


def an_assessment(**changes: Any) -> Assessment:
    """A change that stable does not survive, and half of which nobody understands."""
    statements = (
        Statement(
            "db/migrate/20260302_no_notes.sql",
            2,
            "ALTER TABLE orders DROP COLUMN note",
            Impact.NOT_ADDITIVE,
            "stable still uses the column orders.note, which is dropped here",
            "Release 1: stop reading and writing the column. Release 2: drop it.",
        ),
        Statement(
            "db/migrate/20260303_fill.sql",
            1,
            "CALL fill_prices()",
            Impact.UNCLEAR,
            "nobody can tell what the procedure does",
        ),
    )
    reasons = (
        Reason("risky", "stable does not survive its migrations", "not-additive"),
        Reason("risky", "it touches billing: src/billing/prices.py", "billing"),
        Reason("safe", "it is small"),
    )
    given: Json = {
        "tier": "risky",
        "reasons": reasons,
        "statements": statements,
        "migrations": 2,
        "summary": "12 files, +340 -20 lines, 3 commits by ada, bob",
        "url": "https://code.example/compare/v1...v2",
    }
    return Assessment(**{**given, **changes})


def risky_plan(**changes: Any) -> Plan:
    """Two steps, gates at both ends, and reasons."""
    five, half = Weight.percent(5), Weight.percent(50)
    return a_plan(
        tier="risky",
        reasons=("touches migrations", "changes the payment code"),
        steps=(Step(five, timedelta(minutes=20)), Step(half, timedelta(minutes=10))),
        start_gate=GATE,
        promote_gate=GATE,
        decision=GATE,
        **changes,
    )


def in_phase(name: str, **changes: Any) -> Canary:
    """A canary in this phase, judged for five minutes where traffic has moved."""
    phase = PHASES[name]
    before = isinstance(phase, PendingApproval | Preparing | Rejected)
    judge = begin(a_plan().objectives) if before else a_judge()
    if name in {"awaiting_thin", "observing_extended"}:
        judge = a_judge(looks=5, requests=7)
    if name == "awaiting_blind":
        judge = a_judge(looks=5, blind=True)
    if name.endswith("_undo"):
        judge = begin(a_plan().objectives)
        changes = {"undoes": "shop-before", **changes}
    if name == "rolled_back_false":
        changes = {"mark": Mark(True, GRACE, NOW, "the load test did it"), **changes}
    given: Json = {"phase": phase, "judge": judge} | ({"arms": None} if before else {})
    return a_canary(**{**given, **changes})


def spoken(value: Any) -> str:
    """Blocks as the text a person reads: what a phone shows, without the looks."""
    if isinstance(value, list):
        return "\n".join(spoken(block) for block in value)
    kind = value.get("type")
    if kind == "rich_text":
        return "\n".join("".join(map(_inline, part["elements"])) for part in value["elements"])
    if kind == "header":
        return f"# {value['text']['text']}"
    if kind == "context":
        return f"_{value['elements'][0]['text']}_"
    if kind == "table":
        return "\n".join(" | ".join(cell["text"] for cell in row) for row in value["rows"])
    if kind == "actions":
        return " ".join(f"[{button['text']['text']}]" for button in value["elements"])
    return str(value)


def _inline(element: Json) -> str:
    match element["type"]:
        case "text":
            text = str(element["text"])
            style = element.get("style") or {}
            if style.get("code"):
                return f"`{text}`"
            return f"*{text}*" if style.get("bold") else text
        case "user":
            return f"<@{element['user_id']}>"
        case "usergroup":
            return f"<!subteam^{element['usergroup_id']}>"
        case "channel":
            return f"<#{element['channel_id']}>"
        case "date":
            return str(element["fallback"])
        case "link":
            return f"{element['text']} ({element['url']})"
        case other:
            raise AssertionError(other)


def posted(canary: Canary, number: int = 1) -> Canary:
    """The same canary with a message of its own."""
    ids = f"{canary.service}-{number:06d}"
    return replace(canary, id=ids, thread=Thread("C0DEPLOYS", f"{1700000000 + number}.000100"))
