"""What a person is told before the demo waits for them."""

from rich.console import Console

from bot.demo.config import PERCENT
from bot.demo.parts import REVISIONS
from bot.demo.places import Places
from bot.demo.scenarios import SCENARIOS, Pace, Scenario


def welcome(console: Console, places: Places, scenario: Scenario, pace: Pace) -> None:
    """Print where the page is, what to type, and what will happen."""

    def say(text: str = "", style: str | None = None) -> None:
        console.print(text, style=style, highlight=False, markup=False)

    say()
    say(f"  Open   {places.slack}/", "bold green")
    say("  Type   /canary start shop v2      in #deploys, and watch the message", "bold green")
    say()
    say(f"Scenario “{scenario.name}”: {scenario.story} {scenario.outcome}")
    if scenario.approver is not None:
        say("You are Ada in the page, who may not approve: switch to Grace to click the button.")
    say(pace_says(pace))
    say()
    say(
        "Then: click Abort and read the thread, or try /canary status, /canary list, /canary help."
    )
    say(
        "After a rollback the same start works again. After a promotion the two have changed places:"
    )
    say(f"v2 is stable, and /canary start shop {REVISIONS['blue']} is the next canary.")
    say()
    say("The same as a pipeline does it, from another terminal:")
    config = places.folder / "canary.yaml"
    say(f"  export CANARY_SERVER=http://127.0.0.1:{places.api}")
    made = f"canary token create ci --all-services --config {config}"
    say(f"  export CANARY_TOKEN=$(.venv/bin/{made})")
    say("  .venv/bin/canary start shop v2 --wait          # ends with 0 where it is promoted")
    say()
    say("Other scenarios, with make demo SCENARIO=…")
    for other in SCENARIOS.values():
        if other is not scenario:
            say(f"  {other.name:<10} {other.story}")
    say("Without a browser: make demo SCENARIO=… HEADLESS=1")
    if not places.is_private:
        say()
        say(f"The page listens on {places.host}: whoever reaches it can click there.", "yellow")
    say()
    say(f"Logs lie in {places.folder} while it runs. Stop with Ctrl-C.")


def pace_says(pace: Pace) -> str:
    """What is different here from real life."""
    return (
        f"Here v2 gets {PERCENT} % of the traffic for {pace.window} s, so that you need not wait; "
        "in real life 5 % for 20 min are the defaults."
    )
