"""What one experiment is: data, method, training and seed, as YAML reads and writes it."""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml

from ..components import check_keys
from ..errors import ConfigurationError
from ..storage import write_text
from ..training.settings import TrainingSettings
from .data_settings import DataSettings

T = TypeVar("T")

# what the YAML reader raises for words that are no YAML, or that it takes for a date, a number or a tag they are not
MOST_VALUES = 100_000  # of a configuration
SECTIONS = ("data", "training")  # that are always mappings
RANGE = re.compile(r"-?\d+(:-?\d+)+")  # of columns that have numbers; YAML 1.1 counts sixties
# what other tools call a setting
CALLED = {
    "lr": "learning_rate",
    "optimizer": "optimiser",
    "batch": "batch_size",
    "bs": "batch_size",
    "separator": "delimiter",
    "sep": "delimiter",
}
YAML_ERRORS = (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError)


@dataclass(frozen=True)
class Config:
    """One experiment.

    Args:
        data: which data.
        method: the parts of the method by name (see ``multihot.method.Method``), or those of a classical one.
        training: how to train.
        seed: of initial weights, order of batches and sampling; of splits where ``data.split_seed`` is null.
        published: figures from elsewhere to stand beside ours: ``source``, ``table``, ``row``, and ``measures`` by name; or None.
    """

    data: DataSettings = field(default_factory=DataSettings)
    method: dict[str, Any] = field(default_factory=lambda: {"name": "br"})
    training: TrainingSettings = field(default_factory=TrainingSettings)
    seed: int = 0
    published: dict[str, Any] | None = None

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], where: str = "the configuration") -> Config:
        """A configuration from plain values, refusing unknown keys and wrong kinds."""
        content = settings_of(content, where)
        _check_sections(content, where)
        method = {"name": "br"} if content.get("method") is None else content["method"]
        if not isinstance(method, (str, Mapping)):
            raise ConfigurationError(
                f"method must be a method's name or a mapping of its parts, got {reprlib.repr(method)}; for example method: br"
            )
        seed = content.get("seed", 0)
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
            raise ConfigurationError(f"seed must be an integer from 0 to {2**32 - 1}, got {seed!r}")
        return cls(
            data=_section(DataSettings, content.get("data"), "data"),
            method={"name": method} if isinstance(method, str) else {"name": "br"} | dict(method),
            training=_section(TrainingSettings, content.get("training"), "training"),
            seed=seed,
            published=_published(content.get("published")),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for YAML."""
        return asdict(self)


def load_config(path: Path) -> dict[str, Any]:
    """Read a YAML configuration as plain values."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"there is no configuration file {path}") from None
    except (*YAML_ERRORS, OSError) as error:
        raise ConfigurationError(f"{path} is not readable YAML: {' '.join(str(error).split())}") from error
    return settings_of(content, str(path))


def stored_config(path: Path) -> Config:
    """The configuration that lies in a run folder, with what it meant when it was written; without a ``data.split_seed``, the run's seed
    split the data."""
    from .first_version import as_meant, of_first_version

    content = load_config(path)
    if of_first_version(path.parent):
        content["method"] = as_meant(content.get("method"))
    content["data"] = {"split_seed": None} | settings_of(content.get("data"), f"{path}: data")
    return Config.from_dict(content, where=str(path))


def settings_of(content: Any, where: str) -> dict[str, Any]:
    """A mapping of settings as YAML gives it; an empty file or section gives none.

    Raises:
        ConfigurationError: for anything else, and for more values than a person writes.

    >>> settings_of(None, "data"), settings_of({"source": "train.csv"}, "data")
    ({}, {'source': 'train.csv'})
    """
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise ConfigurationError(f"{where} must be a mapping of settings, such as {{key: value}}, got {reprlib.repr(content)}")
    return dict(_unfolded(content, where))


def _unfolded(content: T, where: str) -> T:
    """The same, unless its aliases, which YAML allows to stand in each other, make it too large or endless."""
    values, unread = 0, [content]
    while unread:
        inner: Any = unread.pop()
        if not isinstance(inner, (Mapping, list, tuple, set)):
            continue
        values += len(inner)
        if values > MOST_VALUES:
            raise ConfigurationError(f"{where} holds more than {MOST_VALUES:,} values; leave out its aliases (& and *)")
        unread.extend(inner.values() if isinstance(inner, Mapping) else inner)
    return content


def save_config(path: Path, config: Config) -> None:
    """Write a configuration as YAML."""
    write_text(path, yaml.safe_dump(config.to_dict(), sort_keys=False, allow_unicode=True))


def override(content: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """Apply ``key=value`` settings with dotted keys to plain values.

    >>> override({"method": {"name": "br"}}, ["method.loss=zlpr", "training.epochs=3"])
    {'method': {'name': 'br', 'loss': 'zlpr'}, 'training': {'epochs': 3}}
    """
    result: dict[str, Any] = {key: dict(value) if isinstance(value, Mapping) else value for key, value in content.items()}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise ConfigurationError(f"--set takes key=value, got '{setting}'; for example --set method.loss=zlpr")
        *path, last = key.strip().split(".")
        place, above = result, []
        for step in path:
            inner = place.get(step)
            above.append(step)
            # a part given by its name alone becomes a mapping as soon as one of its arguments is set
            place[step] = {"name": inner} if isinstance(inner, str) and step not in SECTIONS else settings_of(inner, ".".join(above))
            place = place[step]
        place[last] = _value(text)
    return result


def flatten(content: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings under dotted keys; a part given by its name alone equals one that only has this name.

    >>> flatten({"method": {"name": "br", "loss": "zlpr"}, "seed": 1})
    {'method.name': 'br', 'method.loss.name': 'zlpr', 'seed': 1}
    """
    found: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, Mapping):
            found |= flatten(value, f"{before}{key}.")
        elif before == "method." and key != "name" and isinstance(value, str):
            found[f"{before}{key}.name"] = value
        else:
            found[before + key] = value
    return found


def _value(text: str) -> Any:
    """A setting's text as YAML reads it; ``1e-3`` is a number here, though YAML 1.1 takes it for a word, and ``2:5`` is no number."""
    if RANGE.fullmatch(text.strip()):
        return text.strip()
    try:
        value = yaml.safe_load(text)
    except YAML_ERRORS:
        return text
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return _unfolded(value, "the setting")


def _check_inside(value: Any, kinds: tuple[Any, ...], where: str) -> None:
    """Refuse a mapping or a list that holds anything but the words that its field asks for."""
    inner = [get_args(kind)[-1] for kind in kinds if get_args(kind) and isinstance(value, get_origin(kind))]
    if inner != [str]:
        return
    for key, held in value.items() if isinstance(value, Mapping) else enumerate(value):
        if not isinstance(held, str):
            raise ConfigurationError(f"{where}.{key} must be str, got {held!r}")


def _published(content: Any) -> dict[str, Any] | None:
    """Published figures, if they say where they stand and are numbers."""
    if content is None:
        return None
    if not isinstance(content, Mapping):
        raise ConfigurationError(f"published must be a mapping with source and measures, got {content!r}")
    check_keys(content, {"source", "table", "row", "measures"}, where="published")
    source, measures = content.get("source"), content.get("measures")
    if not isinstance(source, str) or not source.strip():
        raise ConfigurationError(f"published.source must say where the figures stand, got {source!r}; give author, title and year")
    if not isinstance(measures, Mapping) or not measures:
        raise ConfigurationError(f"published.measures must map measures to figures, got {measures!r}; for example {{micro_f1: 0.861}}")
    for name, value in measures.items():
        if not isinstance(name, str) or isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ConfigurationError(f"published.measures.{name} must be a finite number, got {value!r}")
    return {key: dict(value) if isinstance(value, Mapping) else value for key, value in content.items()}


def settings_called(name: str) -> list[str]:
    """The dotted settings that a word alone may stand for.

    >>> settings_called("loss"), settings_called("lr"), settings_called("nothing")
    (['method.loss'], ['training.learning_rate'], [])
    """
    sections = {"data": set(get_type_hints(DataSettings)), "method": _method_keys(), "training": set(get_type_hints(TrainingSettings))}
    key = CALLED.get(name, name)
    return [f"{section}.{key}" for section, settings in sections.items() if key in settings]


def _check_sections(content: Mapping[str, Any], where: str) -> None:
    """Refuse an unknown key at the top, naming the section that has a setting of that name."""
    known = {f.name for f in fields(Config)}
    for key in (key for key in content if key not in known):
        if meant := settings_called(str(key)):
            raise ConfigurationError(f"{where} has no setting '{key}'; did you mean {' or '.join(meant)}?")
    check_keys(content, known, where=where)


def _section(cls: type, content: Any, name: str) -> Any:
    content = settings_of(content, name)
    hints = get_type_hints(cls)
    for key in content:
        if key not in hints and CALLED.get(key) in hints:
            raise ConfigurationError(f"{name} has no setting '{key}'; did you mean '{CALLED[key]}'?")
    check_keys(content, set(hints), where=name)
    return cls(**{key: _checked(value, hints[key], f"{name}.{key}") for key, value in content.items()})


def _checked(value: Any, hint: Any, where: str) -> Any:
    """The value, if it is of the kind that the field asks for; an integer will do for a float."""

    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    plain = tuple(get_origin(kind) or kind for kind in kinds)
    if isinstance(value, str) and float in plain and str not in plain:
        value = _value(value)
    if float in plain and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if str in plain and int not in plain and where.startswith("data."):  # columns without names have numbers
        value = [_word(one) for one in value] if isinstance(value, list) and list in plain else _word(value)
    if isinstance(value, plain) and not (isinstance(value, bool) and bool not in plain):
        _check_inside(value, kinds, where)
        return value
    allowed = " or ".join("null" if kind is type(None) else kind.__name__ for kind in plain)
    raise ConfigurationError(f"{where} must be {allowed}, got {value!r}")


def _word(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _method_keys() -> set[str]:
    """The keys of a neural method's configuration."""
    from ..parts import PARTS  # here, since reading configurations must not load PyTorch

    return {*PARTS, "processor", "sized_like"}
