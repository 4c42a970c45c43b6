"""The judges of other canary tools, written anew from their published algorithms."""

from collections.abc import Callable

from tests.bench.judge.peers.argo import Argo
from tests.bench.judge.peers.flagger import flagger_5, flagger_10
from tests.bench.judge.peers.kayenta import kayenta_5min, kayenta_end
from tests.bench.judge.peers.naive import Naive
from tests.bench.judge.peers.zscore import ZScore
from tests.bench.judge.protocol import Judge

Factory = Callable[[], Judge]

ALL: tuple[Factory, ...] = (
    kayenta_end,
    kayenta_5min,
    flagger_5,
    flagger_10,
    Argo,
    ZScore,
    Naive,
)
"""Each makes a new judge for one canary; the judge's `name` is what the tables show."""
