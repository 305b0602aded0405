"""How an object was made, in plain values: what lets a checkpoint or a config make it again."""

import inspect
from contextlib import suppress
from functools import partial
from typing import Any, Self

PLAIN = (str, int, float, bool, type(None))


class Described:
    """A base for classes whose objects know the arguments that they were made with."""

    arguments: dict[str, Any]  # those that plain values describe
    undescribed: tuple[str, ...]  # the names of all others

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        made = super().__new__(cls)
        given: dict[str, Any] = {}
        with suppress(TypeError):  # which `__init__` will raise
            given = named(inspect.signature(cls.__init__).bind(made, *args, **kwargs))
        made.__dict__["arguments"] = arguments = {}
        for name, value in given.items():
            with suppress(ValueError):
                arguments[name] = described(value)
        made.__dict__["undescribed"] = tuple(given.keys() - arguments.keys())
        return made


def made_with(made: object, arguments: dict[str, Any]) -> None:
    """Let an object that was made of plain values know these, whatever was made of them first."""
    if isinstance(made, Described):
        made.__dict__.update(arguments=arguments, undescribed=())


def named(given: inspect.BoundArguments) -> dict[str, Any]:
    """The arguments of a method's call under their names, those of `**kwargs` too."""
    _, *arguments = given.arguments.items()
    kinds = {name: parameter.kind for name, parameter in given.signature.parameters.items()}
    further = (value for name, value in arguments if kinds[name] is inspect.Parameter.VAR_KEYWORD)
    return dict(arg for arg in arguments if kinds[arg[0]] is not inspect.Parameter.VAR_KEYWORD) | next(further, {})


def described(value: Any) -> Any:
    """`value` as a config would name it: plain values as they are, classes and what is made of them by `class_path`.

    Raises:
        ValueError: that can't be known.
    """
    if type(value) in PLAIN:
        return value
    if isinstance(value, list | tuple):
        return [described(item) for item in value]
    if isinstance(value, dict):
        return {str(key): described(item) for key, item in value.items()}
    if isinstance(value, type):
        return {"class_path": path_of(value)}
    if isinstance(value, partial) and isinstance(value.func, type) and not value.args:
        return {"class_path": path_of(value.func), "init_args": described(value.keywords)}
    if isinstance(value, Described) and not value.undescribed:
        return {"class_path": path_of(type(value)), "init_args": value.arguments}
    raise ValueError(f"an object of {type(value).__name__} doesn't say what it was made with")


def is_described(value: Any) -> bool:
    """Whether `described` knows it."""
    try:
        described(value)
    except ValueError:
        return False
    return True


def sketched(value: Any) -> dict[str, Any]:
    """The class of an object, and those of its arguments that are described."""
    return {
        "class_path": f"{type(value).__module__}.{type(value).__qualname__}",
        "init_args": getattr(value, "arguments", {}),
    }


def path_of(kind: type) -> str:
    """The path by which a class is imported; ValueError if it is a local one."""
    if "<locals>" in kind.__qualname__:
        raise ValueError(f"{kind.__qualname__} can't be imported")
    return f"{kind.__module__}.{kind.__qualname__}"
