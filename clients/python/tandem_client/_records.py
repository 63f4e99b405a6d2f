"""Turns messages into dataclasses with the same field names, so that callers see types and not protobuf."""
import dataclasses
import datetime
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

R = TypeVar("R")


def from_message(record: type[R], message: Any) -> R:
    """-> a `record` of what `message` holds.

    A field is one of the wire's scalars, another record, a datetime, a tuple of those or a mapping of scalars. One
    that may be None is None when the message does not have it.
    """
    values = {name: _value(hint, message, name) for name, hint in _hints(typing.cast(Any, record)).items()}
    return record(**values)


@functools.cache
def _hints(record: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(record)
    return {field.name: hints[field.name] for field in dataclasses.fields(record)}


def _value(hint: Any, message: Any, name: str) -> Any:
    if typing.get_origin(hint) is types.UnionType:  # X | None
        if not message.HasField(name):
            return None
        hint = next(member for member in typing.get_args(hint) if member is not types.NoneType)
    found = getattr(message, name)
    origin = typing.get_origin(hint)
    if origin is tuple:
        element = typing.get_args(hint)[0]
        return tuple(_element(element, each) for each in found)
    if origin is Mapping:
        return dict(found)
    return _element(hint, found)


def _element(hint: Any, found: Any) -> Any:
    if dataclasses.is_dataclass(hint):
        return from_message(typing.cast(type[Any], hint), found)
    if hint is datetime.datetime:
        return datetime.datetime.fromtimestamp(found.seconds + found.nanos / 1e9, datetime.timezone.utc)
    return found
