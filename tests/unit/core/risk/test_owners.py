"""Who owns a file, as GitHub and GitLab read CODEOWNERS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.risk.owners import owners

GITHUB = """
# everything
*            @acme/all
*.js         @js   # of any folder
/build/logs/ @doctocat
docs/*       docs@example.com
apps/        @Octocat
/scripts/    @doctocat @octocat
**/logs      @logs
/apps/github
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.py", ("@acme/all",)),
        ("x/y/a.js", ("@js",)),
        ("build/logs/a", ("@logs",)),
        ("docs/a.md", ("docs@example.com",)),
        ("docs/build/a.md", ("@acme/all",)),
        ("x/apps/a.py", ("@octocat",)),
        ("scripts/x/a", ("@doctocat", "@octocat")),
        ("apps/github/a", ()),
    ],
)
def test_the_last_pattern_that_matches_wins(path: str, expected: tuple[str, ...]) -> None:
    """`docs/*` owns no folder below docs, and a pattern without owners takes them away."""
    assert owners(GITHUB, [path])[path] == expected


def test_each_section_of_gitlab_has_owners_of_its_own() -> None:
    """Sections add up, and a section's default owners hold where a line names none."""
    text = "* @all\n[Docs][2] @writers\n*.md\n^[Db]\ndb/ @dba\n"

    assert owners(text, ["db/a.md"])["db/a.md"] == ("@all", "@writers", "@dba")


@given(st.text(), st.lists(st.text(), max_size=5))
def test_no_text_makes_it_raise(text: str, paths: list[str]) -> None:
    """Nor any path."""
    assert set(owners(text, paths)) == set(paths)
