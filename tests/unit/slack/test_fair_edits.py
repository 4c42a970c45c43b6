"""Slack's one budget of edits, shared by 1, 20 and 100 canaries; counted in owned time."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count, pairwise
from typing import Any

import pytest
from builders import NOON, a_canary
from slack_sdk.errors import SlackApiError
from unit.slack.fakes import Answer, FakeSlack, VirtualTime, Wall, slack_error
from unit.slack.support import PHASES, posted, spoken

from bot.core.canary import Canary, Observing, Paused
from bot.slack.limiter import Limiter
from bot.slack.live_message import SlackBoard
from bot.slack.views.canary import live_message
from bot.workspace.limits import TokenBucket

TEN_MINUTES = 600
BURSTS = (5, 20)
"""Slack says 50 a minute and not how many at once: the fewest that we rely on, and a usual size."""

Change = Callable[[int, Canary], Canary]


class StrictSlack(FakeSlack):
    """Takes 50 edits a minute, each in a tenth of a second; what is more, is a 429."""

    def __init__(self, time: VirtualTime, burst: int) -> None:
        super().__init__(now=time.now)
        self.refused: list[float] = []
        self._time = time
        self._bucket = TokenBucket(50 / 60, burst, burst, time.now())
        self.fail = self._limit

    def _limit(self, method: str, _: Any) -> SlackApiError | None:
        wait = self._bucket.take(self.now()) if method == "chat.update" else 0
        if wait:
            self.refused.append(self.now())
        return slack_error("ratelimited", wait) if wait else None

    async def chat_update(self, **arguments: Any) -> Answer:
        """Edit, with Slack's usual delay."""
        answer = await super().chat_update(**arguments)
        await self._time.sleep(0.1)
        return answer


class Rollouts:
    """So many live canaries on one board, all of which change every second."""

    def __init__(self, live: int, burst: int = 5, sharers: int = 1) -> None:
        wall = Wall(NOON)
        self.time = VirtualTime(wall)
        self.slack = StrictSlack(self.time, burst)
        self._numbers = count()
        self.boards = [self._board(wall) for _ in range(sharers)]
        for _, limiter in self.boards:
            limiter.share(sharers)
        self.live = [self._new() for _ in range(live)]
        self.ended: dict[str, float] = {}

    def _board(self, wall: Wall) -> tuple[SlackBoard, Limiter]:
        limiter = Limiter(now=self.time.now, sleep=self.time.sleep)
        board = SlackBoard(self.slack, limiter, wall, now=self.time.now, sleep=self.time.sleep)
        return board, limiter

    def _new(self) -> Canary:
        return posted(a_canary(), next(self._numbers))

    def show(self, place: int, canary: Canary, *, urgent: bool = False) -> None:
        """On the board of the replica that has it."""
        self.boards[place % len(self.boards)][0].show(canary, urgent=urgent)

    async def second(self, change: Change | None = None) -> None:
        """Let every canary change, and a second pass."""
        at = self.time.now()
        for place, canary in enumerate(self.live):
            moved = change(place, canary) if change else canary
            self.show(place, replace(moved, drift=f"seen at {at}"))
        await self.time.run_for(1)

    def end(self, place: int) -> None:
        """End this canary; another one takes its place."""
        canary = self.live[place]
        assert canary.thread is not None
        self.ended[canary.thread.ts] = self.time.now()
        self.show(place, replace(canary, phase=PHASES["rolled_back_breach"]))
        self.live[place] = self._new()

    def end_waits(self) -> list[float]:
        """Seconds from each end until it is shown."""
        shown: dict[str, float] = {}
        for at, _, edit in self.slack.calls:
            if "rolled back" in edit["text"]:
                shown.setdefault(edit["ts"], at)
        return [shown[ts] - ended for ts, ended in self.ended.items()]

    def gaps(self) -> dict[str, list[float]]:
        """Seconds between the edits of each message, by the message; the last until now."""
        edits: dict[str, list[float]] = defaultdict(list)
        for at, _, edit in self.slack.calls:
            edits[edit["ts"]].append(at)
        for canary in self.live:
            assert canary.thread is not None
            edits[canary.thread.ts].append(self.time.now())
        return {ts: [b - a for a, b in pairwise(times)] for ts, times in edits.items()}

    def longest_gap(self) -> float:
        """The longest time in which any message was not edited."""
        return max(gap for gaps in self.gaps().values() for gap in gaps)


@pytest.mark.parametrize("burst", BURSTS)
@pytest.mark.parametrize(("live", "bound"), [(1, 5), (20, 45), (100, 160)])
async def test_the_budget_is_shared(live: int, bound: float, burst: int) -> None:
    """In ten minutes no 429, every end within 2 s, and every message in its turn.

    An edit each 1.33 s: one of every other message, and those of what ended and began meanwhile.
    """
    rollouts = Rollouts(live, burst)
    for second in range(TEN_MINUTES):
        await rollouts.second()
        if second % 60 == 30:
            rollouts.end(second % live)
        if second in {200, 440}:  # several in one moment
            for place in range(min(5, live)):
                rollouts.end(place)
    assert not rollouts.slack.refused
    assert max(rollouts.end_waits()) <= 2
    assert rollouts.longest_gap() <= bound


@pytest.mark.parametrize("replicas", [2, 3])
async def test_replicas_share_the_budget(replicas: int) -> None:
    """Each uses its part only: no 429 for all of them together, and nobody starves."""
    rollouts = Rollouts(20, burst=5, sharers=replicas)
    for second in range(TEN_MINUTES):
        await rollouts.second()
        if second % 60 == 30:
            rollouts.end(second % 20)
    assert not rollouts.slack.refused
    assert max(rollouts.end_waits()) <= 2
    assert rollouts.longest_gap() <= 40


def clicked(rollouts: Rollouts, places: range, every: int) -> Iterator[None]:
    """Press a button of each of these messages every so many seconds, one each second."""
    for second in count():
        for place in places:
            if (second - place) % every == 0:
                canary = replace(rollouts.live[place], drift=f"clicked in second {second}")
                rollouts.show(place, canary, urgent=True)
        yield


@pytest.mark.parametrize(
    ("places", "every", "bound"),
    [(range(1), 2, 120), (range(10), 2, 170), (range(10), 1, 170)],
    ids=["30 clicks a minute", "300 clicks a minute", "600 clicks a minute"],
)
async def test_no_flood_of_clicks_starves_the_others(
    places: range, every: int, bound: float
) -> None:
    """Of every six edits one is for whoever waits longest: 20 messages, each within 160 s."""
    rollouts = Rollouts(20)
    clicks = clicked(rollouts, places, every)
    for second in range(TEN_MINUTES):
        next(clicks)
        await rollouts.second()
        if second % 60 == 30:
            rollouts.end(15)
    assert not rollouts.slack.refused
    assert max(rollouts.end_waits()) <= 2
    assert rollouts.longest_gap() <= bound


async def test_no_flood_of_phases_starves_the_others() -> None:
    """Sixty messages that change their phase every half minute leave room to twenty others."""
    rollouts = Rollouts(80)
    wall = rollouts.time.wall
    assert wall is not None

    def change(place: int, canary: Canary) -> Canary:
        phase = canary.phase
        if place < 60 and (wall.at - NOON).seconds % 30 == place % 30:
            assert isinstance(phase, Observing | Paused)
            other = PHASES["paused" if isinstance(phase, Observing) else "observing"]
            assert isinstance(other, Observing | Paused)
            canary = rollouts.live[place] = replace(canary, phase=replace(other, since=wall.at))
        return canary

    for second in range(TEN_MINUTES):
        await rollouts.second(change)
        if second % 60 == 45:
            rollouts.end(70)
    assert not rollouts.slack.refused
    assert max(rollouts.end_waits()) <= 2
    assert rollouts.longest_gap() <= 80 * 1.34 * 6 / 2


async def test_a_button_is_answered_at_once_among_a_hundred() -> None:
    """Five clicks in one second find room, although everything else waits its turn."""
    rollouts = Rollouts(100)
    for _ in range(150):
        await rollouts.second()
    begun = rollouts.time.now()
    for place in range(5):
        rollouts.show(place, replace(rollouts.live[place], drift="clicked"), urgent=True)
    await rollouts.time.run_for(2)
    new = [edit for at, _, edit in rollouts.slack.calls if at >= begun]
    assert sum("clicked" in spoken(edit["blocks"]) for edit in new) == 5


@pytest.mark.parametrize(
    ("live", "said"), [(1, ""), (20, "every ~2"), (100, "every ~2 min (100 canaries share")]
)
async def test_a_long_interval_is_said_in_small_print(live: int, said: str) -> None:
    """Its reader knows why nothing moves; where it is short nothing is said of it."""
    rollouts = Rollouts(live)
    for _ in range(3 * live):
        await rollouts.second()
    small = rollouts.slack.calls[-1][2]["blocks"][-1]["elements"][0]["text"]
    assert said in small
    assert ("every" in small) == bool(said)


def test_the_small_print_makes_no_edit() -> None:
    """How often it is edited tells no two renderings of one state apart."""
    canary = a_canary()
    often, seldom = (live_message(canary, NOON, every=every) for every in (None, "~2 min"))
    assert often.same == seldom.same
    assert often.blocks != seldom.blocks
