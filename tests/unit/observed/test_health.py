import pytest

from bot.observed import Health


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    made = Health(clock)
    made.reached(well=True)
    return made


def test_a_process_is_alive_until_nothing_has_woken_for_half_a_minute(
    clock: Clock, health: Health
) -> None:
    """Only a loop that stands still is a reason to begin anew, and it is told how long."""
    clock.now += 30
    assert health.alive().status == 200

    clock.now += 1
    assert health.alive().status == 503
    assert "31 s" in health.alive().body["reason"]

    health.turned()
    assert health.alive().status == 200


def test_a_store_that_is_away_is_no_reason_to_be_restarted(clock: Clock, health: Health) -> None:
    clock.now += 29
    health.turned()
    health.reached(well=False)
    clock.now += 29

    assert health.alive().status == 200
    assert health.ready().status == 503


def test_one_lost_ping_does_not_show(clock: Clock, health: Health) -> None:
    """Readiness does not flap: a heartbeat that fails between two that do not is nothing."""
    for well in (True, False, True, False, False, True):
        clock.now += 2
        health.turned()
        health.reached(well=well)
        assert health.ready().status == 200


def test_a_store_that_stays_away_shows_with_its_time(clock: Clock, health: Health) -> None:
    for _ in range(12):
        clock.now += 1
        health.turned()
        health.reached(well=False)

    answer = health.ready()
    assert answer.status == 503
    assert answer.body["parts"]["store"] == {"ok": False, "state": "away for 12 s"}


def test_nothing_is_ready_before_the_store_was_reached(clock: Clock) -> None:
    assert Health(clock).ready().body["parts"]["store"]["state"] == "not yet there"


def test_each_part_has_its_own_patience(clock: Clock, health: Health) -> None:
    """Slack may reconnect, and what cannot be looked at counts as away, with the reason."""
    connected = True

    def look() -> bool:
        if not connected:
            raise RuntimeError("torn")
        return True

    health.watch("slack", look, 15)
    assert health.ready().status == 200
    connected = False
    for _ in range(15):
        clock.now += 1
        health.turned()
        health.reached(well=True)
    assert health.ready().status == 200

    clock.now += 1
    assert health.ready().status == 503
    assert "torn" in health.ready().body["parts"]["slack"]["state"]
    assert health.is_well("store")


def test_a_process_that_leaves_is_not_ready_but_alive(health: Health) -> None:
    health.leave()

    assert health.ready().status == 503
    assert health.ready().body["parts"]["process"]["state"] == "leaving"
    assert health.alive().status == 200
