"""People in front of the page: starting by the form, deciding, being refused, undoing, freezing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Person, chromium
from playwright.sync_api import Browser, expect
from stage import on_stage

pytestmark = [pytest.mark.e2e, pytest.mark.external_service, pytest.mark.timeout(240)]

ALL_BLUE = {"blue": 100, "green": 0}
ALL_GREEN = {"blue": 0, "green": 100}


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A headless browser."""
    with chromium() as opened:
        yield opened


def test_one_starts_by_the_form_and_another_approves(browser: Browser, tmp_path: Path) -> None:
    """The form says what will happen, the approver finds the question at Home, and both are named."""
    with on_stage(tmp_path, "risky", window=20) as stage:
        ada = Person(browser, stage.places.slack, "ada")
        ada.types("/canary start")
        expect(ada.modal).to_contain_text("What will happen")
        ada.modal.get_by_label("Revision").fill("v2")
        ada.modal.get_by_label("Reason").fill("new prices")
        expect(ada.modal).to_contain_text("10 % of shop's live traffic goes to")
        expect(ada.modal).to_contain_text("all traffic back to stable at once")
        ada.page.evaluate("document.querySelector('.modal-body').scrollTop = 0")
        ada.shoots("form-light")
        ada.page.get_by_test_id("modal-submit").click()
        expect(ada.modal).to_contain_text("Its message is in", timeout=15_000)
        ada.page.get_by_test_id("modal-close").click()
        ada.sees("new prices")

        ada.sees("✋", patience=60)  # on a busy machine a short window may hold too little traffic
        grace = Person(browser, stage.places.slack, "grace", dark=True)
        grace.opens_home()
        expect(grace.home).to_contain_text("Waiting for you", timeout=15_000)
        grace.shoots("home-dark")
        grace.presses("canary_approve", within=grace.home)
        ada.sees("shop v2 promoted")
        ada.sees("approved by")
        ada.opens_the_thread()
        expect(ada.thread).to_contain_text("grace approved the promotion", timeout=15_000)
        expect(ada.thread.get_by_test_id("picture")).to_be_visible(timeout=30_000)
        ada.shoots("promoted-light")
        assert stage.split() == ALL_GREEN
        ada.leaves()
        grace.leaves()


def test_the_form_says_that_a_rollback_is_not_safe(browser: Browser, tmp_path: Path) -> None:
    """Which statement makes it so and how else to do it, there and where it is approved."""
    with on_stage(tmp_path, "schema", window=20) as stage:
        ada = Person(browser, stage.places.slack, "ada")
        ada.types("/canary start shop")
        ada.modal.get_by_label("Revision").fill("v2")
        expect(ada.modal).to_contain_text("A rollback is not safe", timeout=15_000)
        expect(ada.modal).to_contain_text("migrations/0002_no_notes.sql:2")
        expect(ada.modal).to_contain_text("Release 1: stop reading and writing the column")
        expect(ada.modal).to_contain_text("is asked to promote it")
        ada.shoots("unsafe-form-light")
        ada.page.get_by_test_id("modal-submit").click()
        expect(ada.modal).to_contain_text("Its message is in", timeout=15_000)
        ada.page.get_by_test_id("modal-close").click()
        ada.sees("✋", patience=60)
        ada.sees("stable still uses the column orders.note")
        ada.shoots("unsafe-light")
        assert stage.split() == {"blue": 90, "green": 10}
        ada.leaves()


def test_nobody_approves_their_own(browser: Browser, tmp_path: Path) -> None:
    """An approver who started it is told so privately, and may still abort it."""
    with on_stage(tmp_path, "risky", window=15) as stage:
        grace = Person(browser, stage.places.slack, "grace")
        grace.types("/canary start shop v2")
        grace.sees("✋", patience=60)
        grace.presses("canary_approve")
        grace.sees("Only visible to you")
        grace.sees("You started shop v2, and tier risky wants somebody else to approve it")
        ada = Person(browser, stage.places.slack, "ada")
        expect(ada.messages).not_to_contain_text("You started shop v2")
        assert stage.split() == {"blue": 90, "green": 10}

        grace.presses("canary_abort")
        grace.sees("rolled back: aborted")
        assert stage.split() == ALL_BLUE
        grace.leaves()
        ada.leaves()


def test_a_promotion_is_undone_and_the_service_frozen(browser: Browser, tmp_path: Path) -> None:
    """One button sends everybody back; then nothing is started until somebody lifts the freeze."""
    with on_stage(tmp_path, "healthy", window=15) as stage:
        ada = Person(browser, stage.places.slack, "ada")
        ada.types("/canary start shop v2")
        ada.sees("shop v2 promoted", patience=60)
        assert stage.split() == ALL_GREEN

        ada.presses("canary_undo", sure=False)
        expect(ada.page.get_by_test_id("confirm")).to_contain_text("goes back to v1")
        ada.page.get_by_test_id("confirm-ok").click()
        ada.sees("shop v2 undone")
        assert stage.split() == ALL_BLUE

        ada.types("/canary freeze shop for 2h carts are being repaired")
        ada.sees("carts are being repaired")
        ada.types("/canary start shop v2")
        ada.sees("Not started: shop is frozen by ada until")
        ada.types("/canary unfreeze shop")
        ada.sees("shop is not frozen any more")
        ada.types("/canary start shop v2")
        ada.sees(re.compile("shop is not frozen any more.*Starting shop v2", re.DOTALL))
        ada.leaves()
