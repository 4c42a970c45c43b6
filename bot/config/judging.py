"""The judge's inner settings, as `slos: judge:` gives them: every field of `bot.core.tuning.Tuning`."""

from dataclasses import fields
from datetime import timedelta
from typing import Annotated, Any, Final, get_type_hints

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError, create_model

from bot.config.complaints import complaint
from bot.config.units import Duration, unknown
from bot.core.tuning import Looks, Tuning

_WRITTEN: Final[dict[Any, Any]] = {
    timedelta: Duration,
    Looks: tuple[tuple[Duration, float], ...],
}
"""How a type is written in the file, where that is not how Python has it."""

_HINTS: Final = get_type_hints(Tuning)

NAMES: Final = tuple(each.name for each in fields(Tuning))
"""All of them."""

_FIELDS: Final[dict[str, Any]] = {
    name: (_WRITTEN.get(_HINTS[name], _HINTS[name]), None) for name in NAMES
}


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


_SHAPE: Final = create_model("_Shape", __base__=_Plain, **_FIELDS)


def given(values: Any) -> dict[str, Any]:
    """The settings that are named, each of its type.

    Raises:
        ValueError: one is unknown or of another shape; with what is known.

    """
    if not isinstance(values, dict):
        raise ValueError(f"judge holds settings by name, such as floor: 1.1; it says {values!r}")  # noqa: TRY004 - pydantic wants it
    for name in values:
        if name not in NAMES:
            raise ValueError(unknown("setting", str(name), NAMES))
    try:
        shaped = _SHAPE.model_validate(values)
    except ValidationError as error:
        raise ValueError("; ".join(_told(found) for found in error.errors())) from None
    return {name: getattr(shaped, name) for name in values}


def tuning(values: Any) -> Tuning:
    """The judge's settings, with the defaults for what is not named.

    Raises:
        ValueError: as `given`, or the settings cannot work together.

    """
    return values if isinstance(values, Tuning) else Tuning(**given(values))


def _told(found: Any) -> str:
    where = ".".join(str(part) for part in found["loc"])
    if found["type"] == "value_error":
        return f"{where}: {found['ctx']['error']}"
    return f"{where}: {complaint(found) or found['msg']} (it says {found['input']!r})"


JudgeSettings = Annotated[Tuning, PlainValidator(tuning)]
