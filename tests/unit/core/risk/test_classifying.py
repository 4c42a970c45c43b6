"""What holds of the classifier whatever the rules say."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.change import Change, ChangedFile, Commit, Unseen
from bot.core.risk import DEFAULT_RULES, Condition, History, Rule, Step, Tiers, classify, touched
from bot.core.risk import wanted as is_wanted
from bot.core.risk.matching import globbed

TIERS = Tiers(("safe", "normal", "critical"), "normal", "normal")
NOW = datetime(2026, 1, 15, tzinfo=UTC)
HISTORY = History(NOW)


def change(*files: ChangedFile | str, **more: object) -> Change:
    """A change of these files."""
    made = tuple(ChangedFile(one) if isinstance(one, str) else one for one in files)
    return Change("a", "b", made, source="git", **more)  # type: ignore[arg-type]  # a builder


def test_without_any_rule_a_dropped_column_is_riskiest() -> None:
    """No configuration takes that out of the last tier."""
    file = ChangedFile("db/migrations/2.sql", "added", after="ALTER TABLE a DROP COLUMN b;")
    found = classify(change(file), HISTORY, (), TIERS)

    assert found.tier == "critical"
    assert not found.rollback_is_safe
    assert "db/migrations/2.sql:1" in found.reasons[0].text


def test_without_any_rule_what_cannot_be_seen_is_not_safe() -> None:
    """Unseen, cut off, or sent along without a file."""
    unseen = classify(Unseen("no\x1b[31m answer"), HISTORY, (), TIERS)
    cut_off = classify(change("a.py", complete=False), HISTORY, (), TIERS)
    no_file = classify(Change("a", "b", labels=("x",)), HISTORY, (), TIERS)

    assert not unseen.seen
    assert {unseen.tier, cut_off.tier, no_file.tier} == {"normal"}
    assert unseen.reasons[0].text == "the change cannot be seen: no [31m answer"


def test_a_source_that_looked_may_say_that_nothing_differs() -> None:
    """A rebuild of the same commit is safe; of another one it is asked why."""
    rebuilt = Change("a", "a", source="git")
    assert classify(rebuilt, HISTORY, DEFAULT_RULES, TIERS).tier == "safe"
    empty = classify(change(), HISTORY, (), TIERS)
    assert empty.tier == "normal"
    assert "nothing differs" in empty.reasons[0].text


@pytest.mark.parametrize("path", ["db/schema.rb", "db/structure.sql", "prisma/schema.prisma"])
def test_a_schema_that_no_migration_explains_is_asked_about(path: str) -> None:
    """Beside a migration it says nothing more than that does."""
    assert classify(change(path), HISTORY, (), TIERS).tier == "normal"
    fine = ChangedFile("db/migrations/2.sql", "added", after="CREATE TABLE a (id int);")
    assert classify(change(path, fine), HISTORY, (), TIERS).tier == "safe"
    assert classify(change(f"tests/{path}"), HISTORY, (), TIERS).tier == "safe"


@pytest.mark.parametrize("path", ["scripts/cleanup.sql", "sql/views/orders.SQL", "db/seeds.psql"])
def test_other_sql_is_asked_about(path: str) -> None:
    """By a rule that can be switched off; that of tests is not."""
    found = classify(change(path), HISTORY, DEFAULT_RULES, TIERS)
    assert (found.tier, found.reasons[0].rule) == ("normal", "schema")
    assert classify(change(f"tests/{path}"), HISTORY, DEFAULT_RULES, TIERS).tier == "safe"


@pytest.mark.parametrize("path", ["a" * 1001, "a/" * 101 + "b"])
def test_a_path_that_no_file_system_takes_is_not_seen(path: str) -> None:
    """The change is taken for one whose source left files out."""
    found = classify(change("a.md", path), HISTORY, DEFAULT_RULES, TIERS)
    assert found.tier == "normal"
    assert "not all of the change" in found.reasons[0].text


def test_of_a_safe_change_its_size_is_told() -> None:
    """There always is a reason."""
    commits = (Commit("1", "alice"), Commit("2", "7+bob@users.noreply.github.com"))
    file = ChangedFile("a.py", added=20, removed=4)
    found = classify(change(file, commits=commits), HISTORY, DEFAULT_RULES, TIERS)

    assert found.summary == "1 file, +20 \N{MINUS SIGN}4 lines, 2 commits by alice, bob"
    assert found.reasons[0].text == (
        "nothing in it is known to be risky: 1 file, +20 \N{MINUS SIGN}4 lines"
    )


def test_a_tier_that_is_gone_counts_as_the_riskiest() -> None:
    """A rule that names no known tier must not make a change safe."""
    rule = Rule("x", "deleted", "x", Condition(paths=("*",)))

    assert classify(change("a.py"), HISTORY, (rule,), TIERS).tier == "critical"


def test_every_condition_of_a_rule_must_hold() -> None:
    """And of one and the same file, where they are about files."""
    when = Condition(paths=("core/",), labels=("x",), files_over=0)
    rule = Rule("x", "critical", "x", when)

    def tier(*files: str, labels: tuple[str, ...] = ()) -> str:
        return classify(change(*files, labels=labels), HISTORY, (rule,), TIERS).tier

    assert tier("core/a.py", labels=("X",)) == "critical"
    assert tier("core/a.py") == "safe"
    assert tier("a.py", labels=("x",)) == "safe"


def test_a_rule_on_both_the_change_and_the_past_needs_both() -> None:
    """Of an unseen change it does not hold; its tier is that of the unseen anyway."""
    when = Condition(dependencies=(Step.ADDED,), rolled_back_within=timedelta(hours=1))
    rule = Rule("x", "critical", "x", when)
    lately = History(NOW, rolled_back_at=NOW - timedelta(minutes=5))

    assert classify(Unseen("x"), lately, (rule,), TIERS).tier == "normal"
    assert classify(change("a.py"), lately, (rule,), TIERS).tier == "safe"


def test_reasons_are_few_and_short() -> None:
    """The highest tier's first, at most twelve, each once."""
    files = [f"{'x' * 90}/auth/{number}\n.py" for number in range(30)]
    rules = [Rule(f"r{n}", "normal", f"why {n}", Condition(paths=("*",))) for n in range(20)]
    found = classify(change(*files), HISTORY, (*rules, *rules, *DEFAULT_RULES), TIERS)

    assert [one.tier for one in found.reasons] == ["critical", *["normal"] * 11]
    assert len({one.text for one in found.reasons}) == len(found.reasons)
    assert all(len(one.text) <= 300 and "\n" not in one.text for one in found.reasons)
    assert "and 28 more files" in found.reasons[0].text


def test_paths_tell_which_areas_they_touch() -> None:
    """By the default rules, for whoever asks without a change."""
    assert touched(["src/billing/a.py", "b.py"]) == {"billing": ("src/billing/a.py",)}


def test_the_texts_of_manifests_and_migrations_are_asked_for() -> None:
    """And of nothing else."""
    assert is_wanted("web/package.json")
    assert is_wanted("db/migrate/20260101000000_x.rb")
    assert is_wanted("sql/changes.txt", ("sql/",))
    assert not is_wanted("src/a.py")


@pytest.mark.parametrize(
    ("glob", "text", "expected"),
    [
        ("*[bot]", "renovate[bot]", True),
        ("*[bot]", "bob", False),
        ("a?c", "abc", True),
        ("*a*b*", "xxaxxbxx", True),
        ("a*b*c", "abcc", True),
        ("a*bc*c", "abc", False),
        ("plain", "plainer", False),
    ],
)
def test_globs_know_stars_and_question_marks_only(glob: str, text: str, expected: bool) -> None:
    """So that `*[bot]` means what it says."""
    assert (globbed(glob).fullmatch(text) is not None) is expected


def test_a_hostile_title_takes_no_time() -> None:
    """Many stars against a long text that nearly matches."""
    assert globbed("*a" * 50 + "b").fullmatch("a" * 200) is None


TEXT = st.text(max_size=30)
FILES = st.builds(
    ChangedFile,
    path=TEXT,
    status=st.sampled_from(["added", "modified", "removed", "renamed"]),
    previous_path=TEXT,
    added=st.integers(0, 10**6),
    before=st.none() | TEXT,
    after=st.none() | TEXT,
)


@given(st.lists(FILES, max_size=6), st.lists(TEXT), TEXT, TEXT, st.booleans())
def test_any_change_has_a_tier_and_reasons(
    files: list[ChangedFile], labels: list[str], title: str, owners: str, complete: bool
) -> None:
    """Nothing in a change makes the classifier raise; its tier is that of its first reason."""
    rules = (*DEFAULT_RULES, Rule("o", "asking", "", Condition(owners=("@a",))))
    seen = Change(
        "a", "b", tuple(files), (Commit("c", title, title),), tuple(labels), complete, owners
    )
    found = classify(seen, HISTORY, rules, TIERS)

    assert found.tier == found.reasons[0].tier
    assert [TIERS.rank(one.tier) for one in found.reasons] == sorted(
        (TIERS.rank(one.tier) for one in found.reasons), reverse=True
    )
    assert all(one.text.isprintable() and len(one.text) <= 300 for one in found.reasons)
    assert complete or found.tier != "safe"


def test_earlier_migrations_are_judged_with() -> None:
    """They tell that a field only became longer."""
    text = "class Migration:\n    dependencies = [{}]\n    operations = [{}]\n"
    first = text.format("", "CreateModel('A', [('b', models.CharField(max_length=9))])")
    second = text.format(
        "('shop', '0001_a')", "AlterField('a', 'b', models.CharField(max_length=20))"
    )
    new = ChangedFile("shop/migrations/0002_b.py", "added", after=second)
    old = ChangedFile("shop/migrations/0001_a.py", "added", after=first)

    assert classify(change(new), HISTORY, (), TIERS).tier == "normal"
    assert classify(change(new, earlier=(old,)), HISTORY, (), TIERS).tier == "safe"


def test_a_start_that_goes_back_asks_a_person() -> None:
    """It says how many commits of what is stable it takes back."""
    commits = (Commit("1", undone=True), Commit("2", undone=True), Commit("3"))
    found = classify(change("a.py", commits=commits), HISTORY, DEFAULT_RULES, TIERS)

    assert (found.tier, found.reasons[0].rule) == ("normal", "takes-back")
    assert "2 commits of what is stable" in found.reasons[0].text
    assert (
        classify(change("a.py", commits=commits[2:]), HISTORY, DEFAULT_RULES, TIERS).tier == "safe"
    )
