"""The methods of pydantic's models, as value objects have them: none gets around the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

from . import _json
from ._errors import Violation
from ._frozen_type import ValueObjectType
from ._pydantic import Selection, json_part_of, json_text_of, part_of, read_by_name
from ._pydantic_errors import validation_error
from .types import loads_with_decimals


class PydanticMethods(BaseModel, metaclass=ValueObjectType):
    """What a value object overrides of a pydantic model."""

    model_config = ConfigDict(defer_build=True)

    __as_written__: ClassVar[bool] = False
    """Whether a number's own text counts: the class, or one inside it, has a decimal."""

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **arguments: Any) -> Self:
        """Read a JSON text as `from_json` does. Raises pydantic's ValidationError."""
        text = json_data.encode(errors="surrogatepass") if isinstance(json_data, str) else bytes(json_data)
        try:
            value = loads_with_decimals(text) if cls.__as_written__ else _json.loads(text)
        except _json.JsonError as error:
            raise validation_error(cls, [Violation("", "json", "one JSON text", str(error))], None) from None
        return cls.model_validate(value, **arguments)

    @classmethod
    def model_validate(cls, obj: Any, *, by_name: bool | None = None, **arguments: Any) -> Self:
        """Read a parsed JSON value, or what `model_dump` returned, and check the contract.

        With `by_name=True`, the fields are under their Python names. Raises pydantic's ValidationError.
        """
        if by_name and isinstance(obj, Mapping):
            return read_by_name(cls, obj, **arguments)  # type: ignore[no-any-return] # the class itself
        return super().model_validate(obj, **arguments)

    def model_dump(self, *, mode: str = "python", **arguments: Any) -> Any:
        """Return the fields that are present, as plain Python values under the fields' names.

        With `by_alias=True`, they are under their JSON names. With `mode="json"`, it is the JSON value that `to_json`
        writes, or an EncodeError if the contract does not accept the part that `include` and `exclude` select.
        """
        asked = Selection(arguments, "model_dump")
        if mode != "json":
            return part_of(self, asked)
        asked.refuse_python_names()
        return json_part_of(self, asked)

    def model_dump_json(self, *, indent: int | None = None, ensure_ascii: bool = False, **arguments: Any) -> str:
        """Return the JSON text that `to_json` writes.

        Raises EncodeError if the contract does not accept the part that `include` and `exclude` select.
        """
        asked = Selection(arguments, "model_dump_json")
        asked.refuse_python_names()
        raw = json_text_of(self, asked)
        if indent is not None:
            raw = _json.indented(raw, indent)
        return (_json.ascii_only(raw) if ensure_ascii else raw).decode()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields replaced. The copy is checked against the contract, too."""
        if not update:
            return super().model_copy(deep=deep)
        fields = {name: getattr(self, name) for name in self.__pydantic_fields_set__}
        return type(self)(**fields | dict(update))
