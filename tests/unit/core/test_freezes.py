"""A freeze holds what it names until it ends, and nothing else."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from builders import ADA, GRACE, NOON

from bot.core.freezes import (
    ALL,
    Freeze,
    Override,
    frozen,
    holding,
    in_force,
    lock_of,
    overriding,
    passes,
    refusal,
)
from bot.core.plan import Actor

HOUR = timedelta(hours=1)
SHOP = Freeze("shop", ADA, "stock-taking", NOON, NOON + HOUR)
EVERYTHING = Freeze(ALL, ADA, "the sale", NOON, NOON + 2 * HOUR)
LOCK = Freeze("shop", GRACE, "my release", NOON, None, "lock")
WEEKEND = Freeze(
    ALL, Actor("calendar:weekend", "the calendar (weekend)"), "", NOON, NOON + HOUR, "calendar"
)
BY_LEAVE = "An approver may start all the same: `/canary start … --override REASON`."


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
    assert refusal(EVERYTHING) == (
        "Not started: everything is frozen by ada until 2026-03-02 14:00 UTC: the sale. "
        f"To lift it: `/canary unfreeze all`. {BY_LEAVE}"
    )
    nameless = replace(SHOP, by=Actor("U0X"), reason="")
    assert refusal(nameless) == (
        "Not started: shop is frozen by U0X until 2026-03-02 13:00 UTC. "
        f"To lift it: `/canary unfreeze shop`. {BY_LEAVE}"
    )
    stopped = replace(EVERYTHING, until=None)
    assert refusal(stopped) == (
        "Not started: everything is frozen by ada until somebody lifts it: the sale. "
        f"To lift it: `/canary resume-the-line`. {BY_LEAVE}"
    )
    assert "`/canary unfreeze shop`" in refusal(replace(SHOP, until=None))
    assert refusal(LOCK) == (
        "Not started: shop is locked by grace until somebody unlocks it: my release. "
        f"Only grace may start it. To unlock it: `/canary unlock shop`. {BY_LEAVE}"
    )
    assert refusal(WEEKEND) == (
        "Not started: everything is frozen by the calendar (weekend) until 2026-03-02 13:00 UTC. "
        f"It stands in the configuration, so no command lifts it. {BY_LEAVE}"
    )


def test_what_has_no_end_stands_until_it_is_lifted() -> None:
    """And is named before whatever ends by itself."""
    stopped = replace(EVERYTHING, until=None)
    far = NOON + timedelta(days=36500)
    assert frozen((SHOP, stopped), "shop", NOON) == stopped
    assert in_force((SHOP, stopped), far) == (stopped,)


def test_a_lock_keeps_out_everybody_but_its_holder() -> None:
    """Of the locked service only; a freeze of it keeps out the holder as well."""
    assert frozen((LOCK,), "shop", NOON, ADA) == LOCK
    assert frozen((LOCK,), "shop", NOON) == LOCK
    assert frozen((LOCK,), "shop", NOON, GRACE) is None
    assert frozen((LOCK,), "cart", NOON, ADA) is None
    assert frozen((LOCK, SHOP), "shop", NOON, GRACE) == SHOP
    assert not passes(SHOP, SHOP.by)


def test_a_machine_that_names_the_holder_does_not_pass() -> None:
    """It has only said who that is; the one that locked it for them may go on."""
    assert not passes(LOCK, replace(GRACE, via="token:ci"))
    by_machine = replace(LOCK, by=replace(GRACE, via="token:ci"))
    assert passes(by_machine, replace(GRACE, via="token:ci"))
    assert passes(by_machine, GRACE)


def test_a_freeze_and_a_lock_of_a_service_stand_side_by_side() -> None:
    """Each under a key of its own; so does what the calendar sets."""
    keys = {SHOP.key, LOCK.key, EVERYTHING.key, WEEKEND.key}
    assert keys == {"shop", lock_of("shop"), ALL, "calendar:weekend:all"}


@pytest.mark.parametrize(
    ("standing", "other", "stays"),
    [
        (LOCK, replace(LOCK, by=ADA), True),
        (LOCK, replace(LOCK, reason="again"), False),
        (replace(LOCK, until=NOON), replace(LOCK, by=ADA), False),
        (SHOP, replace(SHOP, by=GRACE), False),
    ],
)
def test_only_a_lock_of_somebody_else_withstands(
    standing: Freeze, other: Freeze, stays: bool
) -> None:
    """A freeze gives way to the next one, a lock to its holder, or once it is over."""
    assert standing.withstands(other) is stays


def test_an_override_covers_what_was_in_force_and_nothing_later() -> None:
    """All that held the service then; one that is set anew holds it again."""
    asked = Override(ADA, "nobody can pay", "")
    both = (EVERYTHING, LOCK, replace(SHOP, scope="cart"))
    given = overriding(asked, both, "shop", NOON, ADA)
    assert given is not None
    assert given.of == "shop (locked by grace) and of everything (frozen by ada)"
    assert frozen(both, "shop", NOON, ADA, given) is None
    later = replace(EVERYTHING, since=NOON + HOUR)
    assert holding((later, LOCK), "shop", NOON, ADA, given) == (later,)
    assert frozen((SHOP,), "shop", NOON, ADA, asked) == SHOP


def test_an_override_of_nothing_is_none() -> None:
    """What holds others only, as a lock its holder, needs no leave and leaves no record."""
    asked = Override(GRACE, "nobody can pay", "")
    assert overriding(asked, (LOCK,), "shop", NOON, GRACE) is None
    assert overriding(asked, (EVERYTHING,), "shop", NOON + 2 * HOUR, GRACE) is None
