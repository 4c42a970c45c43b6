"""`slos: judge:` takes every setting of the judge, checked, with the known ones for a mistyped."""

from datetime import timedelta

import pytest

from bot.config.judging import NAMES, given, tuning
from bot.config.models import SloSettings
from bot.core.slo import Sli
from bot.core.tuning import Tuning


def test_nothing_said_is_the_default() -> None:
    """A service with no configuration is judged by the defaults."""
    assert SloSettings().objectives((Sli.ERRORS,)).tuning == Tuning()


def test_settings_are_written_as_everywhere_in_the_file() -> None:
    """Durations have units, numbers are numbers, and what is not named keeps its default."""
    said = {"log_block": "15s", "floor": 1.2, "error_looks": [["2m", 0.5]], "blocks": [1, 2]}

    found = SloSettings.model_validate({"judge": said}).objectives((Sli.ERRORS,)).tuning

    assert found.log_block == timedelta(seconds=15)
    assert found.error_looks == ((timedelta(minutes=2), 0.5),)
    assert (found.floor, found.blocks) == (1.2, (1, 2))
    assert found.promote_margin == Tuning().promote_margin


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({"promot_margin": 2}, r"unknown setting 'promot_margin'.*Did you mean promote_margin\?"),
        ({"floor": "high"}, "floor: must be a number.*'high'"),
        ({"floor": 0.5}, "floor is 0.5; it must be 1 or more"),
        ({"floor": float("nan")}, "floor: .*finite"),
        ({"log_block": "soon"}, "log_block: 'soon' is not a duration; write for example 20m"),
        ({"blocks": "many"}, "blocks: must be a list"),
        (3, "judge holds settings by name.*it says 3"),
    ],
)
def test_an_impossible_setting_is_answered_with_what_would_be_right(
    said: object, answer: str
) -> None:
    """The message names the setting, what it says and what it must be."""
    with pytest.raises(ValueError, match=answer):
        tuning(said)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_refuses_what_cannot_work(name: str) -> None:
    """None takes a value that would silently switch the judge off, or make it divide by zero."""
    default = getattr(Tuning(), name)
    impossible: object = -1.0
    if isinstance(default, timedelta):
        impossible = "-1s"
    elif isinstance(default, tuple):
        impossible = (
            [["5m", -1.0]]
            if name.endswith("_looks")
            else [[0, 0], [0, 0]]
            if name == "tails"
            else []
        )

    with pytest.raises(ValueError, match=name):
        tuning({name: impossible})


def test_every_setting_can_be_given() -> None:
    """None of the judge's thresholds is out of reach of the file."""
    defaults = Tuning()

    assert given({name: getattr(defaults, name) for name in NAMES}) == {
        name: getattr(defaults, name) for name in NAMES
    }
