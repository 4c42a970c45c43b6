"""A freeze holds what it names until it ends, and nothing else."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from builders import ADA, NOON

from bot.core.freezes import ALL, Freeze, frozen, in_force
from bot.core.plan import Actor
from bot.core.refusals import is_frozen

HOUR = timedelta(hours=1)
SHOP = Freeze("shop", ADA, "stock-taking", NOON, NOON + HOUR)
EVERYTHING = Freeze(ALL, ADA, "the sale", NOON, NOON + 2 * HOUR)


@pytest.mark.parametrize(
    ("service", "freezes", "held"),
    [
        ("shop", (), None),
        ("shop", (SHOP,), SHOP),
        ("cart", (SHOP,), None),
        ("cart", (EVERYTHING,), EVERYTHING),
        ("shop", (SHOP, EVERYTHING), EVERYTHING),
        ("shop", (replace(SHOP, until=NOON + 3 * HOUR), EVERYTHING),
         replace(SHOP, until=NOON + 3 * HOUR)),
        ("shop-eu", (SHOP,), None),
    ],
)  # fmt: skip
def test_what_holds_a_service_is_its_longest_freeze(
    service: str, freezes: tuple[Freeze, ...], held: Freeze | None
) -> None:
    """Its own or that of everything, in whichever order they are kept."""
    for order in permutations(freezes):
        assert frozen(order, service, NOON) == held


def test_a_freeze_that_has_ended_holds_nothing() -> None:
    """At its end to the moment; the others go on."""
    assert frozen((SHOP,), "shop", NOON + HOUR - timedelta(microseconds=1)) == SHOP
    assert frozen((SHOP,), "shop", NOON + HOUR) is None
    assert frozen((SHOP, EVERYTHING), "shop", NOON + HOUR) == EVERYTHING
    assert in_force((SHOP, EVERYTHING), NOON + 2 * HOUR) == ()


def test_everything_is_named_first() -> None:
    """Then the services by name."""
    art = replace(SHOP, scope="art")
    assert (EVERYTHING, art, SHOP) == in_force((SHOP, EVERYTHING, art), NOON)


def test_a_refusal_names_who_why_until_when_and_what_to_do() -> None:
    """By name where there is one, by id where there is none."""
    assert is_frozen(EVERYTHING) == (
        "Not started: everything is frozen by ada until 2026-03-02 14:00 UTC: the sale. "
        "To lift it: `/canary unfreeze all`."
    )
    nameless = replace(SHOP, by=Actor("U0X"), reason="")
    assert is_frozen(nameless) == (
        "Not started: shop is frozen by U0X until 2026-03-02 13:00 UTC. "
        "To lift it: `/canary unfreeze shop`."
    )
