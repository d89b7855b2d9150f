"""How a method that is made of a call looks to `help()` and to editors that run code."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

MethodT = TypeVar("MethodT", bound=Callable[..., Any])

_SELF = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)


def as_method(method: MethodT, make: Callable[..., Any]) -> MethodT:
    """Give a method the name, text and parameters of what makes its steps."""
    told = inspect.signature(make)
    shown = [one for one in told.parameters.values() if one.name not in ("patience", "_")]
    method.__name__ = method.__qualname__ = make.__name__
    method.__doc__ = make.__doc__
    method.__signature__ = told.replace(  # type: ignore[attr-defined]  # it is read from there
        parameters=[_SELF, *shown], return_annotation=inspect.Signature.empty
    )
    return method
