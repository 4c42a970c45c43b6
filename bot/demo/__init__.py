"""The demo: real servers, a service to break, and a local Slack, for `make demo`.

It starts everything as processes of its own and knows the bot only as a person does: by what it
says in Slack and by what it does to the router. This module stays light, since each process of
the demo imports it.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What can be said on the command line.

    Attributes:
        scenario: one of the names that `canary demo --help` and the error text list.
        headless: drive the scenario in the terminal instead of waiting for a person.
        window: how long the new revision is observed; 15 s to 30 min here.
        port: of the page; the next free one is taken when it is in use, 0 takes any.
        host: the page's address; all else stays on the loopback interface.
        keep: keep configuration, data and logs in `.demo/` instead of a temporary folder.

    """

    scenario: str = "healthy"
    headless: bool = False
    window: timedelta = timedelta(seconds=60)
    port: int = 3333
    host: str = "127.0.0.1"
    keep: bool = False


def run(options: DemoOptions) -> int:
    """Run the demo until it is stopped, or headless until the scenario has ended.

    Prints what a person has to know. Must be called in the main thread, since it handles signals.

    Returns:
        0 when all went as it must; 1 when something did not; 2 for a wrong option or a missing
        package; 130 when a headless run was interrupted.

    """
    from bot.demo.runner import run_demo

    return run_demo(options)
