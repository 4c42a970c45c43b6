"""Asks one Prometheus for all services of a process: what is asked in the same moment, at once.

A look waits a few milliseconds for others, and is then sent with them in as few queries as may
be. It is never put to a query that is already under way: the answer could be older than the
look. When a merged query fails, its questions are asked again one by one, so that nobody goes
without an answer because of another.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

import httpx

from adapters.http import HttpError
from adapters.metrics.merging import NotDealt, Query, Question, alone, merged
from adapters.metrics.pacing import PATIENCE, Pacing
from adapters.metrics.promql import Api
from adapters.metrics.samples import Series

WINDOW: Final = 0.025
"""Seconds a look waits for others."""
LONGEST_WINDOW: Final = 0.25
"""The same while Prometheus is busy: what it cannot answer now is better asked at once later."""
DEADLINE: Final = 4.8
"""Seconds a look takes at most, less than its reader waits, so that it can say what happened."""
BUSY: Final = 4
"""Rounds under way above which the next one waits for more to join it."""
MERGED_AT_ONCE: Final = 8
ALONE_AT_ONCE: Final = 32
"""Together fewer than the shared client has connections, which flips need as well."""
_IN_VAIN: Final = frozenset({401, 403, 404, 429})
"""Refusals that have nothing to do with what is asked."""
_REFUSED: Final = frozenset({400, 422})
"""Refusals of just this question."""

_Outcome = list[Series] | Exception
T = TypeVar("T")


class Together:
    """One Prometheus, shared by all who ask it; use it from one event loop.

    Attributes:
        api: the same Prometheus, for what is not merged.

    """

    def __init__(self, http: httpx.AsyncClient, url: str, headers: Mapping[str, str]) -> None:
        self.api = Api(http, url, headers)
        self._pacing = Pacing()
        self._open: _Round | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._merged = asyncio.Semaphore(MERGED_AT_ONCE)
        self._alone = asyncio.Semaphore(ALONE_AT_ONCE)

    async def look(self, questions: Sequence[Question]) -> tuple[float, list[Series]]:
        """Prometheus' clock and the series of all questions, as of now or later.

        Raises:
            HttpError: it cannot be asked, refuses, has only a part of the answer, or takes longer
                than `DEADLINE`.

        """
        if self._open is None:
            self._open = _Round()
            task = asyncio.create_task(self._run(self._open))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        round_ = self._open
        wanted = [round_.wants(question) for question in questions]
        # Waiting leaves the answers to the others when this reader is cancelled.
        futures: list[asyncio.Future[Any]] = [round_.clock, *wanted]
        await asyncio.wait(futures, timeout=DEADLINE)
        now = _told(round_.clock)
        return now, [series for answer in wanted for series in _told(answer)]

    async def _run(self, round_: "_Round") -> None:
        """Let others join, then ask for everyone."""
        try:
            await asyncio.sleep(WINDOW)
            while len(self._under_way) > BUSY and (left := LONGEST_WINDOW - round_.age) > 0:
                others = self._under_way - {asyncio.current_task()}
                await asyncio.wait(others, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            self._open = None
            loner = {q: self._pacing.is_apart(q, round_.now) for q in round_.answers}
            queries = merged((q for q in loner if not loner[q]), self._pacing.most)
            queries += [alone(q) for q in loner if loner[q]]
            await asyncio.gather(
                self._tell_time(round_), *(self._ask(query, round_) for query in queries)
            )
        finally:
            if self._open is round_:
                self._open = None
            round_.close(HttpError("Prometheus was not asked to the end: the bot is stopping"))

    async def _tell_time(self, round_: "_Round") -> None:
        round_.clock.set_result(await _outcome(self.api.now(), round_.due))

    async def _ask(self, query: Query, round_: "_Round") -> None:
        """Answer the questions of one query."""
        if len(query.questions) == 1:
            (question,) = query.questions
            failed = await self._ask_alone(question, round_)
            if failed and self._pacing.is_apart(question, round_.now):
                self._pacing.set_apart(question, round_.now)
            return
        try:
            async with asyncio.timeout_at(round_.due):
                await self._merged.acquire()
        except TimeoutError as error:  # too much is asked; to ask one by one would be more
            round_.settle(dict.fromkeys(query.questions, _said(error)))
            return
        try:
            found = await self._found(query, round_)
        finally:
            self._merged.release()
        if isinstance(found, Exception):
            await self._one_by_one(query, found, round_)
        else:
            round_.settle(found)

    async def _found(
        self, query: Query, round_: "_Round"
    ) -> Mapping[Question, list[Series]] | Exception:
        """Ask a merged query; an error may be the fault of any of its questions."""
        metric, window, *_ = shape = query.questions[0].shape
        began = round_.now
        asked = self.api.raw(metric, query.matchers, window, patience=PATIENCE)
        series = await _outcome(asked, min(began + PATIENCE, round_.due))
        if isinstance(series, Exception):
            return series
        try:
            dealt = query.deal(series)
        except NotDealt as error:
            return error
        samples = sum(len(one.times) for one in series)
        self._pacing.answered(shape, len(query.questions), samples, round_.now - began)
        return dealt

    async def _one_by_one(self, query: Query, error: Exception, round_: "_Round") -> None:
        """Find out whose fault an error was, and answer the others, each at once."""
        questions, status = query.questions, error.status if isinstance(error, HttpError) else None
        in_vain = status in _IN_VAIN
        if status is None and not isinstance(error, NotDealt):
            await asyncio.wait([round_.clock])
            in_vain = isinstance(round_.clock.result(), Exception)  # it answers nobody
        if in_vain:
            round_.settle(dict.fromkeys(questions, error))
            return
        failures = await asyncio.gather(*(self._ask_alone(one, round_) for one in questions))
        failed = [one for one, failure in zip(questions, failures, strict=True) if failure]
        if failed and (len(failed) < len(questions) or status in _REFUSED):
            for one in failed:
                self._pacing.set_apart(one, round_.now)
        if not failed or status not in _REFUSED:
            self._pacing.failed(questions[0].shape, len(questions))

    async def _ask_alone(self, question: Question, round_: "_Round") -> bool:
        """Answer one question as if there were no others; whether that failed."""

        async def asked() -> list[Series]:
            async with self._alone:
                return await self.api.raw(question.metric, question.matchers, question.window)

        outcome = await _outcome(asked(), round_.due)
        round_.answers[question].set_result(outcome)
        return isinstance(outcome, Exception)


class _Round:
    """The questions of one moment, and what became of each; an answer may be an error."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self.now
        self.clock: asyncio.Future[float | Exception] = self._loop.create_future()
        self.answers: dict[Question, asyncio.Future[_Outcome]] = {}

    @property
    def now(self) -> float:
        return self._loop.time()

    @property
    def age(self) -> float:
        return self.now - self._began

    @property
    def due(self) -> float:
        """When those who asked first wait no longer."""
        return self._began + DEADLINE

    def wants(self, question: Question) -> asyncio.Future[_Outcome]:
        if question not in self.answers:
            self.answers[question] = self._loop.create_future()
        return self.answers[question]

    def settle(
        self, outcomes: Mapping[Question, list[Series]] | Mapping[Question, _Outcome]
    ) -> None:
        """Answer these questions."""
        for question, outcome in outcomes.items():
            self.answers[question].set_result(outcome)

    def close(self, reason: HttpError) -> None:
        """Nobody must wait for what will never come."""
        if not self.clock.done():
            self.clock.set_result(reason)
        for answer in self.answers.values():
            if not answer.done():
                answer.set_result(reason)


def _told(answer: "asyncio.Future[T | Exception]") -> T:
    """What was answered; an error is each reader's own, since raising it writes into it."""
    result = answer.result() if answer.done() else _said(TimeoutError())
    if isinstance(result, HttpError):
        raise HttpError(str(result), result.status, result.body)
    if isinstance(result, Exception):
        raise result
    return result


async def _outcome(asked: Awaitable[T], due: float) -> T | Exception:
    """What was answered until then, or why nothing was."""
    try:
        async with asyncio.timeout_at(due):
            return await asked
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where it was asked
        return _said(error)


def _said(error: Exception) -> Exception:
    """An error in words; one that says nothing of Prometheus stays what it is."""
    if not isinstance(error, TimeoutError):
        return error
    return HttpError(
        f"Prometheus did not answer within {DEADLINE:g} s; look whether it is overloaded"
    )


_shared: WeakValueDictionary[tuple[object, ...], Together] = WeakValueDictionary()


def together(http: httpx.AsyncClient, url: str, headers: Mapping[str, str]) -> Together:
    """The one that asks this Prometheus, by this client and in the same name, for everyone.

    It lives for as long as somebody holds it, and its client with it, whose id is its own so long.
    """
    key = (id(http), url.rstrip("/"), frozenset(headers.items()))
    found = _shared.get(key)
    if found is None:
        found = _shared[key] = Together(http, url, headers)
    return found
