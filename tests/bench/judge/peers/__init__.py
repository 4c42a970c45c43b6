"""The judges of other canary tools, written anew from their published algorithms."""

from collections.abc import Callable

from bench.judge.peers.argo import Argo
from bench.judge.peers.flagger import flagger_5, flagger_10
from bench.judge.peers.kayenta import kayenta_5min, kayenta_end
from bench.judge.peers.naive import Naive
from bench.judge.peers.zscore import ZScore
from bench.judge.protocol import Judge

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
