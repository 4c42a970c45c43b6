"""What can be done about a canary now, as lines to paste."""

from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Cause,
    Observing,
    Paused,
    PendingApproval,
    Preparing,
    Promoted,
    Promoting,
    Rejected,
    RolledBack,
    RollingBack,
    Shifting,
)
from bot.slack.grammar import Line
from bot.slack.text import name

LONGEST_ID = 100
"""A line to paste holds an id whole, or is not shown."""


def next_steps(canary: Canary) -> tuple[Line, ...]:
    """The commands that make sense in this phase, the one most often wanted first."""
    me = name(canary.id, LONGEST_ID)
    abort = Line(f"abort {me}", "all traffic back to stable, at once")
    extend = Line(f"extend {me} 10m", "watches longer")
    match canary.phase:
        case PendingApproval():
            return Line(f"approve {me}", "lets it start"), Line(f"abort {me}", "it does not start")
        case Preparing():
            return (Line(f"abort {me}", "it does not start"),)
        case Shifting() | Promoting():
            return (abort,)
        case Observing():
            early = Line(f"promote {me}", "goes on now, if all SLOs are healthy")
            return abort, early, extend, Line(f"pause {me}", "holds the weight, still judged")
        case Paused():
            return abort, Line(f"resume {me}", "goes on with the window")
        case AwaitingDecision(question="orphan"):
            return abort, Line(f"approve {me}", "promotes it")
        case AwaitingDecision():
            return abort, Line(f"approve {me}", "goes on"), extend
        case RollingBack():
            return (Line(f"status {me}", "shows whether the router has done it"),)
        case Promoted():
            back = "if it turns out bad: all traffic back to what was stable, while that runs"
            return (Line(f"undo {name(canary.service, LONGEST_ID)}", back),)
        case RolledBack(cause=Cause(kind="breach" | "undo")):
            mended = Line(
                f"start {name(canary.service, LONGEST_ID)}", "the form, for what is mended"
            )
            return mended, Line(f"show {me}", "everything about it")
        case RolledBack() | Rejected():
            again = f"start {name(canary.service, LONGEST_ID)} {name(canary.revision, LONGEST_ID)}"
            return Line(again, "tries it again"), Line(f"show {me}", "everything about it")
