"""What every table of the configuration shares: unknown keys are errors, and everything wrong is told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


Wrong = tuple[tuple[str | int, ...], str]
"""Where something is wrong, from the table at hand inward, and why."""


class Table(BaseModel):
    """One table, with paths as they are written."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @classmethod
    def _wrong_as_a_whole(cls, given: Mapping[str, object]) -> Iterator[Wrong]:  # noqa: ARG003  # most tables have nothing
        """Say where and what is wrong between the keys; each key by itself is checked by its type."""
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _everything_at_once(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401  # whatever TOML holds
        """Check keys and whole in one go: a validator that runs after the keys hides its problems behind theirs."""
        wrong = list(cls._wrong_as_a_whole(given)) if isinstance(given, dict) else []
        found = [InitErrorDetails(type=PydanticCustomError("whole", why), loc=at, input=None) for at, why in wrong]
        try:
            table = handler(given)
        except ValidationError as error:
            keys = [(problem["type"], problem["msg"], problem["loc"]) for problem in error.errors()]
            found += [InitErrorDetails(type=PydanticCustomError(k, msg), loc=at, input=None) for k, msg, at in keys]
            raise ValidationError.from_exception_data(cls.__name__, found, hide_input=True) from None
        if found:
            raise ValidationError.from_exception_data(cls.__name__, found, hide_input=True)
        return table
