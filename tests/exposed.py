"""A service's instances that expose counters, each a real endpoint under the test's control."""

from dataclasses import dataclass, field

from servers import Reply, Web

BOUNDS = (0.05, 0.1, 0.5)


@dataclass
class Exposed:
    """One instance, with the metrics of the preset "http".

    Attributes:
        codes: requests by status code.
        buckets: requests by upper bound in seconds, cumulative.
        timed: requests with a latency.
        extra: more lines, as they are.
        answers: what is answered in place of the counters; None for the counters.

    """

    codes: dict[str, int] = field(default_factory=dict)
    buckets: dict[float, int] = field(default_factory=lambda: dict.fromkeys(BOUNDS, 0))
    timed: int = 0
    extra: str = ""
    answers: Reply | None = None
    web: Web = field(init=False)

    def __post_init__(self) -> None:
        self.web = Web(lambda _method, _path, _body: self.answers or self.reply())

    @property
    def url(self) -> str:
        """Where it is scraped."""
        return f"{self.web.url}/metrics"

    def count(self, requests: int, errors: int = 0, seconds: float | None = None) -> None:
        """Add requests, `errors` of them failed, each of which took `seconds`."""
        for code, number in (("200", requests - errors), ("500", errors)):
            if number:
                self.codes[code] = self.codes.get(code, 0) + number
        if seconds is not None:
            self.timed += requests
            for bound in self.buckets:
                self.buckets[bound] += requests if seconds <= bound else 0

    def restart(self) -> None:
        """Begin again at zero."""
        self.codes, self.buckets, self.timed = {}, dict.fromkeys(BOUNDS, 0), 0

    def reply(self) -> Reply:
        """The counters in the text format 0.0.4."""
        lines = ["# HELP http_requests_total Answered.", "# TYPE http_requests_total counter"]
        lines += [f'http_requests_total{{code="{c}"}} {n}' for c, n in self.codes.items()]
        if self.timed:
            name = "http_request_duration_seconds"
            lines += [f"# TYPE {name} histogram"]
            lines += [f'{name}_bucket{{le="{b}"}} {n}' for b, n in self.buckets.items()]
            lines += [f'{name}_bucket{{le="+Inf"}} {self.timed}', f"{name}_count {self.timed}"]
        return 200, "text/plain; version=0.0.4", "\n".join([*lines, self.extra, ""])
