"""The Home tab: what waits for its reader, what is live, what is frozen and how the last ones went."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from bot.core.canary import Canary, Promoted, Rejected, RolledBack
from bot.core.freezes import ALL, Freeze
from bot.slack.text import clip, name
from bot.slack.views import kit, story
from bot.slack.views.canary import buttons, headline
from bot.slack.views.kit import Block, Line, Message, code, strong, words
from bot.slack.views.listing import end_of, sign

START: Final = "canary_home_start"
UNFREEZE: Final = "canary_home_unfreeze"
MOST_CANARIES: Final = 30
"""Of those that wait and those that are live together: two blocks each, and a view has 100."""

MOST_FREEZES: Final = 10
MOST_RESULTS: Final = 10
LONGEST_LINE: Final = 300
LONGEST_VALUE: Final = 2000
"""What a button can carry."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What one person's Home tab shows.

    Attributes:
        waiting: live canaries whose open question this person may answer.
        live: the other live canaries.
        ended: the last results, the newest first.
        links: to canaries' messages, by id.
        trouble: why nothing of this could be read; everything else is empty then.
        notice: the answer to what this person has just pressed.

    """

    waiting: Sequence[Canary] = ()
    live: Sequence[Canary] = ()
    freezes: Sequence[Freeze] = ()
    ended: Sequence[Canary] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    notice: Message | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The view, and what tells two of them apart, without the time of rendering."""

    view: dict[str, Any]
    same: str


@dataclass(frozen=True, slots=True)
class Lift:
    """What the button of a freeze carries: its key, and since when, lest it lift a later one."""

    key: str
    since: str

    @classmethod
    def of(cls, freeze: Freeze) -> "Lift":
        """For this freeze."""
        return cls(freeze.key, freeze.since.isoformat())

    def dump(self) -> str:
        """As a button's value."""
        return json.dumps([self.key, self.since], ensure_ascii=False)

    @classmethod
    def read(cls, value: str) -> "Lift":
        """From a button's value.

        Raises:
            ValueError: it is no value of ours.

        """
        match json.loads(value):
            case [str(key), str(since)]:
                return cls(key, since)
            case _:
                raise ValueError("the button does not carry a freeze")


def home_page(scene: Scene, now: datetime) -> Page:
    """The whole tab."""
    blocks = [kit.header("Canary deploys"), *_notice(scene.notice)]
    blocks.append(
        kit.actions(
            kit.button("Start a canary", START, "start", spoken="Start a canary", style="primary")
        )
    )
    if scene.trouble:
        blocks.append(kit.rich([strong("⚠️ "), words(scene.trouble)]))
    else:
        blocks += _live(scene, now)
        blocks += _frozen(scene.freezes)
        blocks += _results(scene)
    same = json.dumps(blocks, sort_keys=True)
    blocks.append(kit.context(f"Updated {kit.updated(now)}"))
    return Page({"type": "home", "blocks": kit.stamped(blocks, now)}, same)


def _notice(notice: Message | None) -> list[Block]:
    return [*notice.blocks[:2], {"type": "divider"}] if notice is not None else []


def _live(scene: Scene, now: datetime) -> list[Block]:
    waiting = scene.waiting[:MOST_CANARIES]
    live = scene.live[: MOST_CANARIES - len(waiting)]
    blocks: list[Block] = []
    if waiting:
        blocks.append(kit.header("✋ Waiting for you"))
        for canary in waiting:
            blocks += _canary(canary, scene.links, now)
        blocks += _more(len(scene.waiting) - len(waiting))
    blocks.append(kit.header("Live"))
    if not live:
        none = "No other canary is live." if waiting else "No canary is live."
        blocks.append(kit.rich([words(none)]))
    for canary in live:
        blocks += _canary(canary, scene.links, now)
    blocks += _more(len(scene.live) - len(live))
    return blocks


def _canary(canary: Canary, links: Mapping[str, str], now: datetime) -> list[Block]:
    """Its state, how far it is, who started it, and the buttons of its message."""
    said = " ".join(story.sentence(canary, now).split())
    lines: list[Line] = [
        [strong(headline(canary))],
        [words(said, longest=LONGEST_LINE)],
        [
            words("Started by "),
            kit.named(canary.started_by),
            words(" "),
            kit.on_day(canary.created_at),
            *_open(canary, links),
        ],
    ]
    row = buttons(canary)
    return [kit.rich(*lines), *([kit.actions(*row)] if row else [])]


def _more(left: int) -> list[Block]:
    if left <= 0:
        return []
    return [kit.rich([words(f"and {left} more: "), code("/canary list"), words(" names them.")])]


def _frozen(freezes: Sequence[Freeze]) -> list[Block]:
    if not freezes:
        return []
    blocks = [kit.header("❄️ Frozen")]
    for freeze in freezes[:MOST_FREEZES]:
        why = f": {clip(freeze.reason, LONGEST_LINE)}" if freeze.reason else ""
        line = [
            strong(f"{_sign(freeze)}{name(freeze.what)}"),
            words(" "),
            *end_of(freeze),
            words(", by "),
            kit.named(freeze.by),
            words(f"{why}. {_holds(freeze)}"),
        ]
        blocks.append(kit.rich(line))
        if freeze.lifted_by and len(Lift.of(freeze).dump()) <= LONGEST_VALUE:
            blocks.append(kit.actions(_unfreeze(freeze)))
    left = len(freezes) - MOST_FREEZES
    return blocks + ([kit.rich([words(f"and {left} more")])] if left > 0 else [])


def _sign(freeze: Freeze) -> str:
    """What it is, where it is no plain freeze under that headline."""
    return "" if freeze.kind == "freeze" else f"{sign(freeze)} "


def _holds(freeze: Freeze) -> str:
    """What it does, and what it does not."""
    match freeze.kind:
        case "freeze":
            return "Nothing new is started; what is live goes on."
        case "lock":
            return "Nobody else starts it; what is live goes on."
        case "calendar":
            return "Nothing new is started, and no command lifts it; what is live goes on."


def _unfreeze(freeze: Freeze) -> Block:
    what = name(freeze.what, 48)
    whose = "all services" if freeze.scope == ALL else what
    verb = "Unlock" if freeze.kind == "lock" else "Unfreeze"
    asked = f"Canaries of {whose} can be started again at once, by anybody."
    return kit.button(
        verb,
        UNFREEZE,
        Lift.of(freeze).dump(),
        spoken=f"{verb} {what}",
        confirm=kit.confirm(f"{verb} {what}?", asked, verb),
    )


def _results(scene: Scene) -> list[Block]:
    lines = [
        [words(f"{headline(canary)} · "), *_when(canary), *_open(canary, scene.links)]
        for canary in scene.ended[:MOST_RESULTS]
    ]
    nothing = [[words("Nothing has been started yet.")]]
    return [kit.header("Last results"), kit.rich(*(lines or nothing))]


def _when(canary: Canary) -> Line:
    match canary.phase:
        case Promoted(at=at) | RolledBack(at=at) | Rejected(at=at):
            return [kit.on_day(at)]
        case _:
            return [kit.on_day(canary.created_at)]


def _open(canary: Canary, links: Mapping[str, str]) -> Line:
    url = links.get(canary.id, "")
    return [words(" · "), {"type": "link", "url": url, "text": "open"}] if url else []
