"""The type of value object classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, dataclass_transform

from pydantic import BaseModel, Field

if TYPE_CHECKING:  # the name is private, and a type checker needs one
    from pydantic._internal._model_construction import ModelMetaclass as _ModelType
else:
    _ModelType = type(BaseModel)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
class ValueObjectType(_ModelType):
    """Tells type checkers what pydantic's `frozen` says: no field can be set."""
