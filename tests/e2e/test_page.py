"""A person in front of the page: from `/canary start` to a rollback read in the thread."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Person, chromium
from playwright.sync_api import Browser, expect
from stage import on_stage

pytestmark = [pytest.mark.e2e, pytest.mark.external_service, pytest.mark.timeout(240)]


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A headless browser."""
    with chromium() as opened:
        yield opened


def test_a_person_starts_a_canary_and_reads_its_rollback(browser: Browser, tmp_path: Path) -> None:
    """The message changes under their eyes, and the thread says what was wrong and for how long."""
    with on_stage(tmp_path, "errors", window=60) as stage:
        ada = Person(browser, stage.places.slack, "ada", dark=True)
        ada.types("/canary start shop v2")
        ada.sees("👀 shop v2 at 10 %")
        expect(ada.messages.get_by_role("table")).to_contain_text("Errors")

        ada.sees("shop v2 rolled back", patience=90)
        ada.opens_the_thread()
        expect(ada.thread).to_contain_text("Breach", timeout=20_000)
        expect(ada.thread).to_contain_text("on stable")
        expect(ada.thread).to_contain_text("All traffic is back on stable")
        expect(ada.thread.get_by_test_id("picture")).to_be_visible(timeout=30_000)
        assert stage.split() == {"blue": 100, "green": 0}
        ada.shoots("breach-dark")

        ada.presses("canary_why", sure=False)
        ada.sees("The numbers decided, by themselves")
        ada.leaves()


def test_a_person_aborts_with_the_button_and_its_confirm(browser: Browser, tmp_path: Path) -> None:
    """The dangerous button asks first, names what it does, and then does it."""
    with on_stage(tmp_path, "healthy", window=120) as stage:
        ada = Person(browser, stage.places.slack, "ada")
        ada.types("/canary start shop v2")
        ada.sees("👀 shop v2")
        if ada.poses:
            ada.sees("full bar")
            ada.page.wait_for_timeout(25_000)
            ada.shoots("live-light")

        ada.presses("canary_abort", sure=False)
        expect(ada.page.get_by_test_id("confirm")).to_contain_text("shop v2 carries 10 %")
        ada.page.get_by_test_id("confirm-cancel").click()
        assert stage.split() == {"blue": 90, "green": 10}
        ada.presses("canary_abort")

        ada.sees("rolled back", patience=20)
        assert stage.split() == {"blue": 100, "green": 0}
        ada.leaves()


def test_a_mistake_is_answered_privately(browser: Browser, tmp_path: Path) -> None:
    """A mistyped service is answered to the one who typed it, with the known one."""
    with on_stage(tmp_path, "healthy", window=20) as stage:
        ada = Person(browser, stage.places.slack, "ada")
        ada.types("/canary start shpo v2")
        ada.sees("Only visible to you")
        ada.sees("shop")
        assert stage.lives() == []
        ada.leaves()
