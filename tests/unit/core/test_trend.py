"""The trend is short whatever comes, and loses no request."""

from datetime import timedelta

from builders import a_canary
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.stores.codec import decode_canary, encode_canary
from bot.core.slo import Arms, Histogram, NoData, Traffic
from bot.core.trend import MOST, Trend

COUNTS = st.integers(0, 10_000)


@st.composite
def traffic(draw: st.DrawFn) -> Traffic:
    """Requests of which some fail and some are timed."""
    requests = draw(COUNTS)
    counts = tuple(draw(st.lists(st.integers(0, 500), min_size=4, max_size=4)))
    latency = draw(st.sampled_from([Histogram(), Histogram((0.1, 0.5, 1.0), counts)]))
    return Traffic(requests, draw(st.integers(0, requests)), latency)


LOOKS = st.lists(
    st.builds(Arms, traffic(), traffic()) | st.just(NoData("not scraped")), max_size=200
)


@settings(max_examples=60, deadline=timedelta(seconds=5))
@given(LOOKS)
def test_a_trend_has_at_most_sixteen_points_whose_sums_are_the_totals(
    looks: list[Arms[Traffic] | NoData],
) -> None:
    """Of requests and errors of both arms; a look that saw nothing adds nothing."""
    trend = Trend()
    for look in looks:
        before, trend = trend, trend.after(look)
        if isinstance(look, NoData):
            assert trend == before
        assert len(trend.points) <= MOST
        assert 1 <= trend.last <= trend.each
    seen = [look for look in looks if not isinstance(look, NoData)]
    assert len(seen) == max(0, len(trend.points) - 1) * trend.each + (
        trend.last if trend.points else 0
    )
    for number, arms in enumerate(([t.canary for t in seen], [t.stable for t in seen])):
        assert sum(p.requests[number] for p in trend.points) == sum(t.requests for t in arms)
        assert sum(p.errors[number] for p in trend.points) == sum(t.errors for t in arms)
    stored = decode_canary(encode_canary(a_canary(trend=trend))).trend
    assert stored == trend


def test_a_point_of_several_looks_has_their_mean_by_requests() -> None:
    """A look with ten times the requests weighs ten times as much; an untimed one nothing."""
    slow, fast = Histogram((0.1, 1.0), (0, 100, 0)), Histogram((0.1, 1.0), (100, 0, 0))
    stable = Traffic(1000)
    few, many = Traffic(100, 0, slow), Traffic(1000, 0, fast)
    trend = Trend()
    for number in range(MOST + 1):
        trend = trend.after(Arms((few, many)[number % 2], stable))

    assert 2 == trend.each
    first = trend.points[0]
    low, high = fast.quantile(0.95), slow.quantile(0.95)
    assert low is not None
    assert high is not None
    assert first.p95[0] is not None
    assert abs(first.p95[0] - (10 * low + high) / 11) < 0.01
    assert first.p95[1] is None


def test_the_first_looks_stand_alone() -> None:
    """Nothing is put together before there are too many."""
    trend = Trend()
    for number in range(MOST):
        trend = trend.after(Arms(Traffic(number), Traffic(number)))
    assert [(number, number) for number in range(MOST)] == [p.requests for p in trend.points]
