"""What a change's manifests and lock files say about its dependencies."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.change import ChangedFile
from bot.core.risk import Step, bumps
from bot.core.risk.dependencies import is_manifest
from bot.core.risk.versions import step

PNPM = "packages:\n\n  '@a/b@{0}(x@1.0.0)':\n    resolution: {{integrity: x}}\n"
POM = """<project><properties><jackson.version>{0}</jackson.version></properties>
<dependency><groupId>a</groupId><artifactId>b</artifactId><version>1.0</version></dependency>
</project>"""
NPM_LOCK = json.dumps({"packages": {"": {}, "node_modules/a": {"version": "VERSION"}}})

MANIFESTS = {
    "package.json": '{{"dependencies": {{"a": "^{0}"}}}}',
    "web/package-lock.json": NPM_LOCK.replace("{", "{{")
    .replace("}", "}}")
    .replace("VERSION", "{0}"),
    "yarn.lock": '"a@^1.0.0", a@^1.2.0:\n  version "{0}"\n',
    "pnpm-lock.yaml": PNPM,
    "requirements.txt": "# pinned\na[x]=={0} ; python_version > '3' --hash=sha256:1\n",
    "requirements/base.txt": "a=={0}",
    "pyproject.toml": '[project]\nname = "x"\ndependencies = ["a=={0}"]\n',
    "api/pyproject.toml": '[tool.poetry.dependencies]\na = {{version = "^{0}", extras = ["x"]}}\n',
    "poetry.lock": '[[package]]\nname = "a"\nversion = "{0}"\n',
    "uv.lock": '[[package]]\nname = "a"\nversion = "{0}"\nsource = {{}}\n',
    "Pipfile": '[packages]\na = "=={0}"\n',
    "Pipfile.lock": '{{"default": {{"a": {{"version": "=={0}"}}}}}}',
    "go.mod": "module x\n\ngo 1.22\n\nrequire (\n\tx.example/a v{0} // indirect\n)\n",
    "Cargo.toml": '[dependencies]\na = "{0}"\n',
    "Cargo.lock": '[[package]]\nname = "a"\nversion = "{0}"\n',
    "Gemfile": 'gem "a", "~> {0}", require: false\n',
    "Gemfile.lock": "GEM\n  specs:\n    a ({0})\n      b (>= 1)\n",
    "composer.json": '{{"require": {{"a/b": "^{0}"}}}}',
    "composer.lock": '{{"packages": [{{"name": "a/b", "version": "v{0}"}}]}}',
    "pom.xml": POM,
    "build.gradle": "implementation 'a:b:{0}'\n",
    "build.gradle.kts": 'implementation("a:b:{0}")\n',
    "gradle/libs.versions.toml": '[versions]\na = "{0}"\n',
}


def steps(path: str, before: str | None, after: str | None) -> list[Step]:
    """How far the dependencies of one file move."""
    return [bump.step for bump in bumps([ChangedFile(path, before=before, after=after)])]


@pytest.mark.parametrize("path", MANIFESTS)
def test_every_kind_of_file_tells_how_far_a_dependency_moves(path: str) -> None:
    """A patch, a minor and a major step are told apart in each."""
    text = MANIFESTS[path]
    old = text.format("1.2.3")

    assert steps(path, old, old) == []
    assert steps(path, old, text.format("1.2.4")) == [Step.PATCH]
    assert steps(path, old, text.format("1.3.0")) == [Step.MINOR]
    assert steps(path, old, text.format("2.0.0")) == [Step.MAJOR]


@pytest.mark.parametrize("path", [path for path in MANIFESTS if "lock" not in path.lower()])
def test_a_manifest_tells_what_comes_and_goes(path: str) -> None:
    """All of it in a file that is new or removed."""
    text = MANIFESTS[path].format("1.2.3")
    added = bumps([ChangedFile(path, "added", after=text)])
    removed = bumps([ChangedFile(path, "removed", before=text)])

    assert {bump.step for bump in added} == {Step.ADDED}
    assert {bump.step for bump in removed} == {Step.REMOVED}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("1.2.3", "1.2.4", Step.PATCH),
        ("^1.2.3", "~1.2.3", Step.PATCH),
        ("1.2.3", "1.1.0", Step.MINOR),
        ("2.0", "1.9", Step.MAJOR),
        ("0.2.0", "0.3.0", Step.MAJOR),
        ("0.2.0", "0.2.1", Step.PATCH),
        ("0.0.2", "0.0.3", Step.MAJOR),
        (">=1.2,<2", ">=1.2,<3", Step.MAJOR),
        (">=1.2,<2", ">=1.3,<2", Step.MINOR),
        ("2025.1", "2026.2", Step.MINOR),
        ("1.0", "2025.1", Step.MAJOR),
        ("1.2.3", "git+https://x.example/a.git#1", Step.UNKNOWN),
        ("", "1.0", Step.UNKNOWN),
        ("*", "latest", Step.UNKNOWN),
    ],
)
def test_the_distance_between_two_versions(before: str, after: str, expected: Step) -> None:
    """Before 1.0 every minor step may break, and a new year breaks nothing."""
    assert step(before, after) is expected


def test_a_lock_file_is_silent_about_what_comes_only_there() -> None:
    """What is below a project's own dependencies is its lock file's affair, but for its steps."""
    old = '[[package]]\nname = "a"\nversion = "1.0"\n'
    more = old + '\n[[package]]\nname = "b"\nversion = "3.0"\n'

    assert steps("uv.lock", old, more) == []
    assert steps("uv.lock", more, old) == []


@pytest.mark.parametrize("text", ["{", "[", "[" * 5000, "\0"])
def test_what_cannot_be_read_is_unknown(text: str) -> None:
    """A manifest that is broken, or whose text could not be had, is never taken for unchanged."""
    assert steps("package.json", "{}", text) == [Step.UNKNOWN]
    assert steps("package.json", None, "{}") == [Step.UNKNOWN]
    assert steps("package-lock.json", None, None) == [Step.UNKNOWN]


def test_a_name_of_endless_parts_is_not_followed() -> None:
    """TOML's reader would take minutes for it."""
    assert steps("pyproject.toml", "", "1." * 500_000) == [Step.UNKNOWN]


def test_a_lock_file_too_large_to_read_is_passed_over_where_its_manifest_was_read() -> None:
    """The manifest says what was meant."""
    manifest = ChangedFile("w/package.json", before='{"dependencies":{"a":"1.0.0"}}',
                           after='{"dependencies":{"a":"1.0.1"}}')  # fmt: skip
    found = bumps([manifest, ChangedFile("w/pnpm-lock.yaml")])

    assert [bump.step for bump in found] == [Step.PATCH]


def test_what_only_checks_and_tests_does_not_count() -> None:
    """Neither by its name, nor by where it stands."""
    assert steps("requirements.txt", "pytest==8.0", "pytest==9.0") == []
    assert steps("package.json", '{"devDependencies":{"eslint":"8.0.0"}}', "{}") == []
    assert steps("Pipfile", '[dev-packages]\na = "1"\n', '[dev-packages]\na = "2"\n') == []
    assert not is_manifest("requirements-dev.txt")
    assert not is_manifest("tests/fixtures/package.json")
    assert not is_manifest("node_modules/a/package.json")


@given(st.sampled_from(sorted(MANIFESTS)), st.text(), st.text())
def test_no_text_makes_it_raise(path: str, before: str, after: str) -> None:
    """Whatever stands in a manifest or lock file."""
    for bump in bumps([ChangedFile(path, before=before, after=after)]):
        assert str(bump)
