"""What no judge can do better: the power of the best test at the traffic of a cell.

The judge compared with here knows stable's true error rate and looks once, at the end, one-sided
at 1 %: the Poisson test, which no other test of that level beats. A real one must learn stable's
rate, looks at every tick, and holds back where failures come in clumps.
"""

from dataclasses import dataclass

from bench.judge.cells import RATES
from bench.judge.session import BASE
from bench.judge.shapes import TICK, WINDOW
from scipy.stats import poisson

SHARE = 0.05
LEVEL = 0.01
END = WINDOW * TICK
CERTAIN = 0.999


@dataclass(frozen=True, slots=True)
class Limit:
    """The canary's expected errors after `seconds`, healthy and bad, and the power of the test."""

    name: str
    rate: float
    seconds: float
    healthy: float
    bad: float
    power: float


def limit(name: str, rate: float, seconds: float = END) -> Limit:
    """The limit of a defect of the error rate (`x2`, `+1pp`) at `rate` requests a second."""
    requests = rate * SHARE * seconds
    chance = BASE + float(name[1:-2]) / 100 if name[0] == "+" else BASE * float(name[1:])
    healthy, bad = requests * BASE, requests * chance
    critical = float(poisson.isf(LEVEL, healthy))  # rolled back above so many errors
    return Limit(name, rate, seconds, healthy, bad, float(poisson.sf(critical, bad)))


TIMED = (("x5", 1000.0, 30.0), ("x2", 1000.0, 150.0), ("x5", 1000.0, 60.0), ("x5", 100.0, 120.0))
"""Goals with a time: is half of the sessions possible by then?"""


def limits() -> list[Limit]:
    """The goals with a time, and every defect of the error rate where the best test misses some."""
    names = ("x1.5", "x2", "x5", "+1pp", "+5pp", "+20pp")
    whole = [limit(name, rate) for name in names for rate in RATES]
    return [limit(*timed) for timed in TIMED] + [one for one in whole if one.power < CERTAIN]


def text() -> str:
    """The limits as a table."""
    lines = [
        "What the best possible one-sided 1 % test finds, given stable's true error rate and one look",
        f"{'':<16}{'after':>8}{'errors expected: healthy':>28}{'bad':>10}{'power':>10}",
    ]
    lines += [
        f"{f'{one.name}@{one.rate:g}':<16}{one.seconds:>6.0f} s{one.healthy:>28.2f}"
        f"{one.bad:>10.2f}{one.power:>10.1%}"
        for one in limits()
    ]
    return "\n".join(lines)
