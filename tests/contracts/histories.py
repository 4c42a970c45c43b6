"""A real git repository with a short history, made by a test for itself."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

PICTURE = b"\x89PNG\0\0\1"
LONG = b"".join(b"line %d\n" % number for number in range(40))


class History:
    """A repository that is committed to; without git on the machine the test fails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._git = shutil.which("git") or ""
        if not self._git:
            raise AssertionError("git is not installed; on Debian: apt install git")
        if not folder.exists():
            folder.mkdir(parents=True)
            self.git("init", "--quiet", "--initial-branch=main")

    def copied(self, folder: Path) -> "History":
        """The same history in another folder."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return History(folder)

    def empty_commits(self, titles: list[str]) -> None:
        """Commits on `main` that change nothing; many of them cost little."""
        now = int(time.time())  # git takes a parent for the older one
        stream = "".join(
            f"commit refs/heads/main\ncommitter ann <ann@shop.test> {now + number} +0000\n"
            f"data {len(title)}\n{title}\n{'' if number else 'from refs/heads/main^0'}\n"
            for number, title in enumerate(titles)
        )
        self.git("fast-import", "--quiet", given=stream.encode())

    def git(self, *arguments: str, author: str = "ann@shop.test", given: bytes = b"") -> bytes:
        """What a git command prints, with this as its input; fails as the command does."""
        name = author.partition("@")[0]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": author,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": author,
        }
        done = subprocess.run(
            [self._git, *arguments],
            cwd=self.folder,
            env=environment,
            input=given,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"git {arguments}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def commit(
        self,
        files: Mapping[str, str | bytes | None],
        title: str,
        *,
        author: str = "ann@shop.test",
        tag: str = "",
    ) -> str:
        """Write these files (None removes one), commit, and answer the commit's id."""
        for path, content in files.items():
            place = self.folder / path
            if content is None:
                place.unlink()
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", f"{title}\n\nmore", author=author)
        if tag:
            self.git("tag", tag)
        return self.git("rev-parse", "HEAD").decode().strip()


def shop(folder: Path) -> History:
    """A shop: v1, then v2 by two people, and `side`, which left at v1 and is another way on."""
    history = History(folder)
    history.commit(
        {
            "app/main.py": "one\ntwo\n",
            "app/old.py": LONG,
            "db/1.sql": "CREATE TABLE a (id int);\n",
            "docs/readme.md": "read\nme\n",
            "logo.png": PICTURE,
            ".github/CODEOWNERS": "* @shop\n",
            "CODEOWNERS": "* @shop\n",
        },
        "first",
        tag="v1",
    )
    history.git("checkout", "--quiet", "-b", "side")
    history.commit(
        {"db/3.sql": "SELECT 3;\n", "app/main.py": "one\nside\n"}, "aside", tag="v1-side"
    )
    history.git("checkout", "--quiet", "main")
    history.commit(
        {"app/main.py": "one\n2\nthree\n", "db/2.sql": "DROP TABLE a;\n"},
        "drop it",
        author="bob@shop.test",
    )
    history.commit(
        {
            "docs/readme.md": None,
            "app/old.py": None,
            "app/new.py": LONG + b"more\n",
            "logo.png": PICTURE + b"2",
        },
        "tidy up",
        tag="v2",
    )
    return history
