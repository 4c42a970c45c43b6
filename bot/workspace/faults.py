"""Faults on demand: Web API calls that fail, are slow or lose their answer."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field


class Fault(BaseModel):
    """What shall go wrong with the next calls of a method; `*` is any method."""

    model_config = ConfigDict(extra="forbid")

    method: str
    times: int = Field(default=1, ge=1)
    status: int | None = Field(default=None, ge=400, le=599)
    error: str | None = None
    delay: float = Field(default=0.0, ge=0)
    retry_after: int | None = None
    lose_answer: bool = False

    @property
    def refuses(self) -> bool:
        """Tell if the call's work is not done at all."""
        return self.status is not None or self.error is not None


class Faults:
    """The faults that are still to come, the oldest first."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Plan a fault."""
        self._pending.append(fault)

    def take(self, method: str) -> Fault | None:
        """Give the fault for this call, if there is one, and count it."""
        for fault in self._pending:
            if fault.method in ("*", method):
                fault.times -= 1
                if fault.times == 0:
                    self._pending.remove(fault)
                return fault
        return None

    def pending(self) -> Sequence[Fault]:
        """Show what is still to come."""
        return tuple(self._pending)

    def clear(self) -> None:
        """Forget all faults."""
        self._pending.clear()
