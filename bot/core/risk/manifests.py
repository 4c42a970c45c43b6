"""Reads what projects say they depend on, from the manifests of many package tools.

Every reader answers versions by name, without what only developers need where a manifest says so.
Nothing is executed, and entities of XML are not resolved.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

_LONGEST_TOML: Final = 500_000
_LONGEST_LINE: Final = 4000
"""Characters of a manifest in TOML, and of a line of it."""
_MOST_DOTS: Final = 300
"""Dots in such a line: its reader looks up every beginning of a name that has parts."""

Versions = dict[str, frozenset[str]]
"""Of each dependency, in small letters: its versions, or what is said about them."""

Reader = Callable[[str], Versions]

_DEVELOPERS: Final = frozenset(
    {"dev", "test", "tests", "testing", "lint", "docs", "doc", "typing", "types", "development"}
)
_REQUIREMENT: Final = re.compile(r"^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(.*)$")


def said(pairs: Iterable[tuple[str, str]]) -> Versions:
    """Pairs of a name and a version, put together; names in small letters."""
    found: dict[str, set[str]] = {}
    for name, version in pairs:
        if name:
            found.setdefault(name.lower(), set()).add(version.strip())
    return {name: frozenset(versions) for name, versions in found.items()}


def mapping(value: Any) -> dict[str, Any]:
    """A value that should be a mapping; empty where it is something else."""
    return value if isinstance(value, dict) else {}


def words_of(value: Any) -> list[str]:
    """A value that should be a list of texts; without what is none."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _toml(text: str) -> dict[str, Any]:
    """Read TOML; a name of a hundred thousand parts would take its reader minutes."""
    if len(text) > _LONGEST_TOML or any(
        len(line) > _LONGEST_LINE or line.count(".") > _MOST_DOTS for line in text.splitlines()
    ):
        raise ValueError("too long to be written by anybody")
    return tomllib.loads(text)


def package_json(text: str) -> Versions:
    """Read a package.json of npm, yarn or pnpm."""
    data = mapping(json.loads(text))
    pairs = []
    for group in ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies",
                  "resolutions", "overrides"):  # fmt: skip
        for name, version in mapping(data.get(group)).items():
            pairs.append((name, version if isinstance(version, str) else json.dumps(version)))
    return said(pairs)


def requirements(text: str) -> Versions:
    """Read a requirements.txt of pip, compiled or written by hand."""
    pairs = []
    for raw in text.splitlines():
        line = re.split(r"(?:^|\s)#", raw[:1000], maxsplit=1)[0].strip().rstrip("\\").strip()
        line = line.split(" --hash", 1)[0]
        if line.startswith(("-e ", "--editable ")) or "://" in line.split(";")[0].split("@")[0]:
            pairs.append((line.rpartition("#egg=")[2].split("@")[0], line))
        elif line and not line.startswith("-"):
            pairs.append(_requirement(line))
    return said(pairs)


def _requirement(line: str) -> tuple[str, str]:
    match = _REQUIREMENT.match(" ".join(line.split(";", 1)[0].split()))
    if match is None:
        return "", ""
    return re.sub(r"[-_.]+", "-", match[1]), match[2].replace(" ", "").strip("()")


def pyproject(text: str) -> Versions:
    """Read a pyproject.toml: the project's own dependencies and extras, and Poetry's."""
    data = _toml(text)
    project, poetry = (
        mapping(data.get("project")),
        mapping(mapping(data.get("tool")).get("poetry")),
    )
    pairs = [_requirement(line) for line in words_of(project.get("dependencies"))]
    for extra, lines in mapping(project.get("optional-dependencies")).items():
        if extra.lower() not in _DEVELOPERS:
            pairs += [_requirement(line) for line in words_of(lines)]
    pairs += _tables(poetry.get("dependencies"))
    for name, group in mapping(poetry.get("group")).items():
        if name.lower() not in _DEVELOPERS:
            pairs += _tables(mapping(group).get("dependencies"))
    return said(pairs)


def pipfile(text: str) -> Versions:
    """Read a Pipfile, without its packages for developers."""
    return said(_tables(_toml(text).get("packages")))


def cargo(text: str) -> Versions:
    """Read a Cargo.toml: its own dependencies, its builds', its targets' and its workspace's."""
    data = _toml(text)
    places = [data, mapping(data.get("workspace")), *mapping(data.get("target")).values()]
    pairs = []
    for place in map(mapping, places):
        pairs += _tables(place.get("dependencies")) + _tables(place.get("build-dependencies"))
    return said(pairs)


def gradle_catalog(text: str) -> Versions:
    """Read a libs.versions.toml of Gradle."""
    data = _toml(text)
    return said([
        *_tables(data.get("versions")), *_tables(data.get("libraries")),
        *_tables(data.get("plugins")),
    ])  # fmt: skip


def _tables(value: Any) -> list[tuple[str, str]]:
    """`name = "1.2"`, or a table with its version in it, or anything else as it is written."""
    pairs = []
    for name, about in mapping(value).items():
        if isinstance(about, dict) and isinstance(about.get("version"), str):
            pairs.append((name, about["version"]))
        elif isinstance(about, dict):
            kept = {
                key: about[key] for key in about if key not in {"features", "optional", "extras"}
            }
            pairs.append((name, json.dumps(kept, sort_keys=True, default=str)))
        else:
            pairs.append((name, str(about)))
    return pairs


def go_mod(text: str) -> Versions:
    """Read a go.mod: what it requires and replaces."""
    pairs, block = [], ""
    for raw in text.splitlines():
        fields = raw[:1000].split("//", 1)[0].split()
        if fields[:1] == [")"]:
            block = ""
        elif fields[1:] == ["("]:
            block = fields[0]
        elif fields:
            verb, *rest = [block, *fields] if block else fields
            if verb == "require" and len(rest) > 1:
                pairs.append((rest[0], rest[1]))
            elif verb == "replace":
                pairs.append((f"replace {rest[0] if rest else ''}", " ".join(rest[1:])))
    return said(_whole_modules(pairs))


def _whole_modules(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """`x.example/y/v3` is the third major version of `x.example/y`, not another module."""
    for name, version in pairs:
        yield re.sub(r"/v\d+$", "", name), version


def gemfile(text: str) -> Versions:
    """Read a Gemfile, line by line."""
    line = re.compile(r"""^\s*gem\s+["']([\w.-]+)["']\s*(?:,\s*(.*))?$""")
    found = (line.match(raw[:1000]) for raw in text.splitlines())
    return said((match[1], re.sub("[\"']", "", match[2] or "")) for match in found if match)


def composer(text: str) -> Versions:
    """Read a composer.json, without its packages for developers."""
    required = mapping(mapping(json.loads(text)).get("require"))
    return said((name, str(version)) for name, version in required.items())


def maven(text: str) -> Versions:
    """Read a pom.xml: versions of dependencies, parent and plugins, and properties that hold some."""
    artifact = re.compile(
        r"<groupId>\s*([^<\s]{1,200})\s*</groupId>\s*<artifactId>\s*([^<\s]{1,200})\s*</artifactId>"
        r"(?:\s*<version>\s*([^<\s]{1,200})\s*</version>)?"
    )
    held = re.compile(r"<([\w.-]{1,200})>\s*v?(\d[\w.-]{0,100})\s*</\1>")
    pairs = [(f"{m[1]}:{m[2]}", m[3] or "") for m in artifact.finditer(text)]
    pairs += [
        (m[1], m[2])
        for m in held.finditer(text)
        if re.search(r"[.-]?version$", m[1]) and m[1] != "version"
    ]
    return said(pairs)


def gradle(text: str) -> Versions:
    """Read a build.gradle, its dependencies and plugins as far as they are plain texts."""
    coordinates = re.compile(r"""["']([\w.-]+:[\w.-]+)(?::([\w.+$\{\}-]+))?["']""")
    plugin = re.compile(r"""\bid\s*\(?\s*["']([\w.-]+)["']\s*\)?\s*version\s*["']([^"']+)["']""")
    uses = re.compile(
        r"^\s*(?:implementation|api|compile|compileOnly|runtimeOnly|kapt|classpath)\b.*"
    )
    pairs = []
    for raw in text.splitlines():
        line = " ".join(raw[:1000].split())
        found = [(m[1], m[2] or "") for m in coordinates.finditer(line)]
        found += [(m[1], m[2]) for m in plugin.finditer(line)]
        if not found and uses.match(line):
            found = [(" ".join(line.split()), "")]
        pairs += found
    return said(pairs)
