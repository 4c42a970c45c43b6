"""Who owns a file, as GitHub and GitLab read CODEOWNERS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from bot.core.risk.globs import compiled
from bot.core.risk.owners import EVERYONE, owners

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


PIECES = st.sampled_from(["a", "b", "*", "**", "/", "/**/", "?", "[ab]", "\\*", "."])
NAMES = st.text("ab*", min_size=1, max_size=3)


@given(
    st.lists(PIECES, min_size=1, max_size=6).map("".join).filter(lambda one: "//" not in one),
    st.lists(NAMES, min_size=1, max_size=4).map("/".join),
)
def test_a_pattern_names_what_git_would_ignore_by_it(pattern: str, path: str) -> None:
    """However many stars it has."""
    try:
        expected = GitIgnoreSpec.from_lines([pattern]).match_file(path)
    except ValueError:
        expected = False
    found = compiled(pattern)
    assert (found is not None and found.match(path) is not None) is expected


@pytest.mark.parametrize("pattern", ["*a" * 30 + "*b", "**/a/" * 30 + "b", "*/" * 60 + "b"])
def test_many_stars_are_matched_to_an_end(pattern: str) -> None:
    """No star is tried again where another one failed."""
    for path in ("a" * 900, "a/" * 99 + "a", "/".join(["aaaaaaa"] * 99)):
        assert owners(f"{pattern} @x", [path])[path] == ()


def test_what_is_too_long_to_be_read_is_everyones() -> None:
    """So a rule about any owner fires."""
    assert owners("* @x", ["a" * 1001])["a" * 1001] == (EVERYONE,)
    assert owners("# " + "x" * 500_000, ["a"])["a"] == (EVERYONE,)
    assert owners("a" * 501 + " @x", ["b"])["b"] == (EVERYONE,)
