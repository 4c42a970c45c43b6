"""What the outside may answer instead of doing what was asked."""


class PortError(Exception):
    """The outside did not do what was asked; the text says what, why, and what to do next."""


class Declined(PortError):  # noqa: N818 - it is an answer: trying again is of no use
    """The outside will never do what was asked."""


class Conflict(Exception):  # noqa: N818 - it is an answer to be acted on, not a fault
    """The record has moved on since it was loaded, or another replica owns it now."""


class ServiceBusy(Exception):  # noqa: N818 - as above
    """The service already has a live canary."""

    def __init__(self, canary_id: str) -> None:
        super().__init__(f"a live canary exists: {canary_id}")
        self.canary_id = canary_id
