"""A person in front of the page: from `/canary start` to a rollback read in the thread."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from stage import on_stage

pytestmark = [pytest.mark.e2e, pytest.mark.external_service, pytest.mark.timeout(240)]

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def page() -> Iterator[Page]:
    """A headless browser, Debian's own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


def type_command(page: Page, text: str) -> None:
    """Type into the composer as a person does."""
    page.get_by_test_id("composer").fill(text)
    page.get_by_test_id("composer").press("Enter")


def test_a_person_starts_a_canary_and_reads_its_rollback(page: Page, tmp_path: Path) -> None:
    """The message changes under their eyes, and the thread says what was wrong and for how long."""
    with on_stage(tmp_path, "errors", window=60) as stage:
        page.goto(f"{stage.places.slack}/?user=ada#C0DEPLOYS")
        type_command(page, "/canary start shop v2")
        messages = page.get_by_test_id("messages")
        expect(messages).to_contain_text("👀 shop v2 at 10 %", timeout=30_000)
        expect(messages.get_by_role("table")).to_contain_text("Errors")

        expect(messages).to_contain_text("shop v2 rolled back", timeout=90_000)
        messages.get_by_text(re.compile(r"\d repl(y|ies)")).first.click()
        thread = page.get_by_test_id("thread-pane")
        expect(thread).to_contain_text("Breach", timeout=20_000)
        expect(thread).to_contain_text("on stable")
        expect(thread).to_contain_text("All traffic is back on stable")
        assert stage.split() == {"blue": 100, "green": 0}
        page.screenshot(path=tmp_path / "rolled-back.png")


def test_a_person_aborts_with_the_button_and_its_confirm(page: Page, tmp_path: Path) -> None:
    """The dangerous button asks first, names what it does, and then does it."""
    with on_stage(tmp_path, "healthy", window=120) as stage:
        page.goto(f"{stage.places.slack}/?user=ada#C0DEPLOYS")
        type_command(page, "/canary start shop v2")
        abort = page.locator("[data-action-id=canary_abort]")
        expect(page.get_by_test_id("messages")).to_contain_text("👀 shop v2", timeout=30_000)

        abort.click()
        expect(page.get_by_test_id("confirm")).to_contain_text("shop v2 carries 10 %")
        page.get_by_test_id("confirm-cancel").click()
        assert stage.split() == {"blue": 90, "green": 10}
        abort.click()
        page.get_by_test_id("confirm-ok").click()

        expect(page.get_by_test_id("messages")).to_contain_text("rolled back", timeout=20_000)
        assert stage.split() == {"blue": 100, "green": 0}


def test_a_mistake_is_answered_privately(page: Page, tmp_path: Path) -> None:
    """A mistyped service is answered to the one who typed it, with the known one."""
    with on_stage(tmp_path, "healthy", window=20) as stage:
        page.goto(f"{stage.places.slack}/?user=ada#C0DEPLOYS")
        type_command(page, "/canary start shpo v2")

        messages = page.get_by_test_id("messages")
        expect(messages).to_contain_text("Only visible to you", timeout=10_000)
        expect(messages).to_contain_text("shop")
        assert stage.lives() == []
