"""Reads the tables of a TOML file into dataclasses; whatever is wrong with an entry names it."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from typing import Any, TypeVar, get_args, get_type_hints

from gru_training.errors import TrainingError

WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", list: "a list", dict: "a table"}


T = TypeVar("T")


def section(kind: type[T], table: object, where: str) -> T:
    """A dataclass from one table. `where` is its name as it stands in the file."""
    entries = a_table(table, where)
    hints = get_type_hints(kind)
    refuse_unknown(entries, list(hints), where)
    needed = [field.name for field in fields(kind) if field.default is MISSING]  # type: ignore[arg-type]
    missing = [name for name in needed if name not in entries]
    if missing:
        raise TrainingError(f"{where}: {', '.join(missing)} is missing")
    return kind(**{name: entry(value, hints[name], f"{where} {name}") for name, value in entries.items()})


def entry(value: object, hint: Any, where: str) -> Any:
    """The value of one entry, if it is of the type that the dataclass says; lists become tuples."""
    choices = [choice for choice in get_args(hint) if choice is not type(None)]
    if getattr(hint, "__origin__", None) is tuple:
        if not isinstance(value, list):
            raise TrainingError(f"{where}: expected a list, got {_words(value)}")
        return tuple(entry(element, choices[0], f"{where}, element {index}") for index, element in enumerate(value, 1))
    kind = choices[0] if choices else hint
    # A whole number will do for any number; true and false are no numbers, which Python itself takes them for.
    fits = isinstance(value, (int, float) if kind is float else kind) and isinstance(value, bool) == (kind is bool)
    if not fits:
        raise TrainingError(f"{where}: expected {WORDS[kind]}, got {_words(value)}")
    return value


def a_table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TrainingError(f"{where}: expected a table, got {_words(value)}")
    return value


def refuse_unknown(table: Mapping[str, Any], known: list[str], where: str) -> None:
    for name in table:
        if name not in known:
            close = get_close_matches(name, known, 1)
            meant = f" (did you mean {close[0]}?)" if close else ""
            raise TrainingError(f"{where}: unknown key {name}{meant}")


def _words(value: object) -> str:
    return f"{WORDS.get(type(value), 'a time')} ({value!r})" if not isinstance(value, (list, dict)) else WORDS[type(value)]
