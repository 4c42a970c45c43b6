"""A pager that remembers, for tests."""

from dataclasses import dataclass, field

from bot.ports import Alarm, PortError


@dataclass
class MemoryPager:
    """Keeps every alarm by its key, and fails while `trouble` says so."""

    alarms: dict[str, Alarm] = field(default_factory=dict)
    trouble: str = ""

    async def page(self, alarm: Alarm) -> None:
        """Keep it; the same one again changes nothing."""
        if self.trouble:
            raise PortError(f"The alarm about {alarm.service} was not sent: {self.trouble}.")
        self.alarms[alarm.key] = alarm
