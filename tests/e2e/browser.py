"""A headless Chromium, and what a person does in front of the page with it."""

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

CHROMIUM: Final = "/usr/bin/chromium"
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SHOTS: Final = os.environ.get("CANARY_SCREENSHOTS", "")
"""A folder for the README's pictures; empty where nobody asks for them."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's own; without it these tests fail."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


class Person:
    """Somebody with a window of their own, in which any error of the page is a failure."""

    def __init__(self, browser: Browser, address: str, name: str, *, dark: bool = False) -> None:
        self.name = name
        self.poses = bool(SHOTS)
        self.errors: list[str] = []
        self._context = browser.new_context(
            viewport={"width": 1280, "height": 900},
            color_scheme="dark" if dark else "light",
            device_scale_factor=1.5 if SHOTS else 1,
        )
        self.page: Page = self._context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(f"{address}/?user={name}#C0DEPLOYS")
        # A click before the page knows who is there would be overtaken by its first drawing.
        expect(self.page.get_by_test_id("who")).to_contain_text(re.compile(name, re.IGNORECASE))

    @property
    def messages(self) -> Locator:
        """The channel."""
        return self.page.get_by_test_id("messages")

    @property
    def thread(self) -> Locator:
        """The open thread."""
        return self.page.get_by_test_id("thread-pane")

    @property
    def modal(self) -> Locator:
        """The open modal."""
        return self.page.get_by_test_id("modal")

    @property
    def home(self) -> Locator:
        """The app's Home tab."""
        return self.page.get_by_test_id("home")

    def types(self, text: str) -> None:
        """A command or a message."""
        self.page.get_by_test_id("composer").fill(text)
        self.page.get_by_test_id("composer").press("Enter")

    def presses(self, action_id: str, *, within: Locator | None = None, sure: bool = True) -> None:
        """A button, and yes to its question where there is one."""
        (within or self.messages).locator(f"[data-action-id={action_id}]").last.click()
        if sure:
            self.page.get_by_test_id("confirm-ok").click()

    def sees(self, text: str | re.Pattern[str], *, patience: float = 30) -> None:
        """Wait until the channel says so."""
        expect(self.messages).to_contain_text(text, timeout=patience * 1000)

    def opens_the_thread(self) -> None:
        """Of the newest message that has one."""
        self.page.get_by_test_id("replies").last.click()

    def opens_home(self) -> None:
        """The app's Home tab."""
        self.page.get_by_test_id("app-home").click()

    def shoots(self, name: str, **options: Any) -> None:
        """A picture for the README, where one is asked for."""
        if SHOTS:
            whole = Image.open(io.BytesIO(self.page.screenshot(**options)))
            # 256 colours are plenty for a page, and a quarter of the size.
            whole.convert("RGB").quantize(256).save(Path(SHOTS) / f"{name}.png", optimize=True)

    def leaves(self) -> None:
        """Close the window; the page must have had no error."""
        self._context.close()
        assert self.errors == []
