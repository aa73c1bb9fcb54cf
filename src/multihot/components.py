"""From a name in a configuration to an object: the package namespace is the registry.

A loss named ``asymmetric`` is the class ``AsymmetricLoss`` that ``multihot.losses`` exports; ``my_package.losses.MyLoss``
names any other class by its dotted path, so users extend multihot without touching it.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Mapping
from typing import Any

from .errors import ConfigurationError, nearest

# kind -> (package that holds its classes, suffix that the name in a configuration leaves out)
KINDS: dict[str, tuple[str, str]] = {
    "loss": ("multihot.losses", "Loss"),
    "distribution": ("multihot.distributions", "Distribution"),
    "encoder": ("multihot.encoders", "Encoder"),
    "scorer": ("multihot.scorers", "Scorer"),
    "decoder": ("multihot.decoders", "Decoder"),
    "objective": ("multihot.objectives", "Objective"),
    "decoding": ("multihot.decoding", "Decoding"),
    "calibration": ("multihot.calibration", "Calibration"),
    "decision": ("multihot.calibration", "Decision"),
    "processor": ("multihot.data.processors", "Processor"),
    "sampler": ("multihot.data.samplers", "Sampling"),
    "classical": ("multihot.classical", "Classifier"),
}


def snake_case(class_name: str) -> str:
    """The way a class is written in a configuration.

    >>> [snake_case(name) for name in ("BinaryCrossEntropy", "ZLPR", "TextCNN")]
    ['binary_cross_entropy', 'zlpr', 'text_cnn']
    """
    words = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", class_name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", words).lower()


def choices(kind: str) -> dict[str, type[Any]]:
    """All classes of a kind that multihot ships, by the name a configuration uses.

    Args:
        kind: one of the keys of ``KINDS``, such as ``"loss"``.

    Returns:
        name -> class, in alphabetical order.

    Raises:
        ConfigurationError: if there is no such kind.

    >>> sorted(set(choices("loss")) & {"binary_cross_entropy", "zlpr"})
    ['binary_cross_entropy', 'zlpr']
    """
    if kind not in KINDS:
        raise ConfigurationError(f"there is no kind of component '{kind}'; {nearest(kind, KINDS)}")
    package, suffix = KINDS[kind]
    module = importlib.import_module(package)
    classes = (getattr(module, name) for name in getattr(module, "__all__", ()) if name.endswith(suffix) and name != suffix)
    found = {snake_case(cls.__name__.removesuffix(suffix)): cls for cls in classes if not inspect.isabstract(cls)}
    return dict(sorted(found.items()))


def find(kind: str, name: str) -> type[Any]:
    """The class that a name in a configuration stands for.

    Args:
        kind: what is looked for, such as ``"loss"``.
        name: the short name (``"zlpr"``), an alias that the class states (``"bce"``), or a dotted path (``"my_package.MyLoss"``).

    Raises:
        ConfigurationError: if nothing has that name; the message lists near misses and all choices.

    >>> find("loss", "bce").__name__
    'BinaryCrossEntropyLoss'
    """
    if "." in str(name):
        return _import_dotted(kind, name)
    found = choices(kind)
    if name in found:
        return found[name]
    for cls in found.values():
        if name in getattr(cls, "aliases", ()):
            return cls
    raise ConfigurationError(f"there is no {kind} '{name}'; {nearest(str(name), found)}")


def build(kind: str, config: str | Mapping[str, Any] | None, **available: Any) -> Any:
    """Make a component from its configuration.

    Args:
        kind: what to make, such as ``"loss"``.
        config: a name, or a mapping with ``name`` and the constructor's arguments.
        **available: what the surroundings can supply (``num_labels``, ``width``, ``statistics``, ``label_space``, ...). The
            constructor gets those that it names and that the configuration leaves open.

    Returns:
        The new object.

    Raises:
        ConfigurationError: if the name is unknown, an argument is unknown or missing, or the constructor refuses a value.

    >>> build("loss", "zlpr").__class__.__name__
    'ZLPRLoss'
    """
    name, arguments = split_config(kind, config)
    cls = find(kind, name)
    parameters = inspect.signature(cls).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        check_keys(arguments, parameters, where=f"{kind} '{name}'")
    supplied = {key: value for key, value in available.items() if key in parameters and key not in arguments}
    arguments = supplied | arguments
    missing = [
        key
        for key, p in parameters.items()
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and key not in arguments
    ]
    if missing:
        raise ConfigurationError(f"{kind} '{name}' needs {', '.join(missing)}, which nothing supplied; give it in the configuration")
    try:
        return cls(**arguments)
    except (TypeError, ValueError) as error:
        if isinstance(error, ConfigurationError) and any(said in str(error) for said in (name, cls.__name__)):
            raise
        raise ConfigurationError(f"{kind} '{name}': {error}") from error


def split_config(kind: str, config: str | Mapping[str, Any] | None) -> tuple[str, dict[str, Any]]:
    """Take a component's configuration apart into its name and its arguments.

    >>> split_config("loss", {"name": "focal", "gamma": 2})
    ('focal', {'gamma': 2})
    """
    if isinstance(config, str):
        return config, {}
    if not isinstance(config, Mapping) or not isinstance(config.get("name"), str):
        raise ConfigurationError(f"{kind} must be a name or a mapping with 'name', got {config!r}; for example {kind}: {{name: ...}}")
    return config["name"], {key: value for key, value in config.items() if key != "name"}


def check_keys(given: Mapping[str, Any], allowed: Mapping[str, Any] | set[str], where: str) -> None:
    """Refuse any key that is not allowed, naming the nearest one that is."""
    for key in given:
        if key not in allowed:
            raise ConfigurationError(f"{where} has no setting '{key}'; {nearest(str(key), allowed)}")


def first_line(cls: type) -> str:
    """What a class says of itself in one sentence."""
    return (inspect.getdoc(cls) or "").split("\n")[0]


def _import_dotted(kind: str, path: str) -> type[Any]:
    module_name, _, class_name = path.rpartition(".")
    try:
        cls = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError, TypeError, SyntaxError) as error:
        raise ConfigurationError(f"{kind} '{path}' cannot be imported ({error}); give the dotted path of a class") from error
    base = _base_of(kind)
    if not isinstance(cls, type) or not issubclass(cls, base):  # anything else could be made to run a stranger's configuration
        raise ConfigurationError(f"{kind} '{path}' is no class derived from {base.__module__}.{base.__name__}; give the path of one")
    return cls


def _base_of(kind: str) -> type[Any]:
    """The class that every component of a kind derives from."""
    module = "multihot.classical.base" if kind == "classical" else "multihot.interfaces"
    name = {"distribution": "LabelDistribution"}.get(kind, KINDS[kind][1])
    return getattr(importlib.import_module(module), name)
