"""Reads which versions a lock file holds; by lines, since some have a hundred thousand."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from bot.core.risk.manifests import Versions, mapping, said

_TOML_PACKAGE: Final = re.compile(
    r'^name = "([^"\n]{1,200})"[ ]*\nversion = "([^"\n]{1,100})"', re.MULTILINE
)
_TOML_DEVELOPERS: Final = re.compile(
    r'^category = "dev"|^groups = \["(?:dev|test|tests|lint|docs)"\]', re.MULTILINE
)
_PNPM: Final = re.compile(
    r"^  '?/?((?:@[\w.-]{1,100}/)?[\w.-]{1,100})[@/](\d[\w.+-]{0,100}+)[^:\n]{0,500}+:",
    re.MULTILINE,
)
_YARN_HEAD: Final = re.compile(r'^"?((?:@[^@/\s"]{1,100}/)?[^@/\s"]{1,100})@')
_YARN_VERSION: Final = re.compile(r'^  version:? "?(\d[^"\s]{0,100})"?')
_GEM: Final = re.compile(r"^    ([\w.-]{1,200}) \((\d[\w.+-]{0,100})\)", re.MULTILINE)


def toml_lock(text: str) -> Versions:
    """Read a poetry.lock, uv.lock, pdm.lock or Cargo.lock; what only developers need is left out."""
    blocks = text.replace("\r\n", "\n").split("[[package]]")[1:]
    kept = (block for block in blocks if not _TOML_DEVELOPERS.search(block))
    return said((match[1], match[2]) for block in kept if (match := _TOML_PACKAGE.search(block)))


def package_lock(text: str) -> Versions:
    """Read a package-lock.json of any version, without what only developers need."""
    data = mapping(json.loads(text))
    pairs = []
    for place, about in mapping(data.get("packages")).items():
        name = place.rpartition("node_modules/")[2]
        if place and "node_modules/" in place and not mapping(about).get("dev"):
            pairs.append((name, str(mapping(about).get("version", ""))))
    if not pairs:
        pairs = list(_nested(data.get("dependencies"), 0))
    return said(pairs)


def _nested(value: Any, depth: int) -> Iterator[tuple[str, str]]:
    for name, about in mapping(value).items():
        one = mapping(about)
        if not one.get("dev"):
            yield name, str(one.get("version", ""))
        if depth < 20:
            yield from _nested(one.get("dependencies"), depth + 1)


def yarn_lock(text: str) -> Versions:
    """Read a yarn.lock, of the old yarn and of the new."""
    pairs, name = [], ""
    for raw in text.splitlines():
        line = raw[:1000]
        if head := _YARN_HEAD.match(line):
            name = head[1]
        elif name and (version := _YARN_VERSION.match(line)):
            pairs.append((name, version[1]))
            name = ""
    return said(pairs)


def pnpm_lock(text: str) -> Versions:
    """Read a pnpm-lock.yaml, of any version."""
    return said(_PNPM.findall(text.replace("\r\n", "\n")))


def pipfile_lock(text: str) -> Versions:
    """Read a Pipfile.lock, without its packages for developers."""
    packages = mapping(mapping(json.loads(text)).get("default"))
    return said((name, str(mapping(about).get("version", ""))) for name, about in packages.items())


def gem_lock(text: str) -> Versions:
    """Read a Gemfile.lock."""
    return said(_GEM.findall(text.replace("\r\n", "\n")))


def composer_lock(text: str) -> Versions:
    """Read a composer.lock, without its packages for developers."""
    packages = mapping(json.loads(text)).get("packages")
    listed = packages if isinstance(packages, list) else []
    return said(
        (str(mapping(one).get("name", "")), str(mapping(one).get("version", ""))) for one in listed
    )
