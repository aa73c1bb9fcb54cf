"""From a name in a configuration to an object: the package namespace is the registry.

A loss named ``asymmetric`` is the class ``AsymmetricLoss`` that ``multihot.losses`` exports; ``my_package.losses.MyLoss``
names any other class by its dotted path, so users extend multihot without touching it. To import a module is to run it, and a
configuration may come from a stranger: so a dotted path is imported only where the user has allowed it by name (``allowing``).
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
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

DOTTED_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
_allowed: ContextVar[frozenset[str]] = ContextVar("allowed names", default=frozenset())


class UntrustedError(ConfigurationError):
    """A configuration names code outside multihot that nobody has allowed; nothing was imported.

    Args:
        key: where the name stands, such as ``"method.loss"``.
        path: the dotted path.
        place: the file or folder, where it is known.
    """

    def __init__(self, key: str, path: str, place: object = ""):
        self.key, self.path, self.package = key, path, path.rpartition(".")[0]
        where = f"{place}: " if place else ""
        super().__init__(
            f"{where}{key} '{path}' is code outside multihot, which a file alone cannot have run; if you trust it, "
            f"add --trust {self.package}, or in Python allow=['{self.package}']"
        )

    def said_of(self, place: object) -> UntrustedError:
        """The same of a file or folder by name."""
        return UntrustedError(self.key, self.path, place)


@contextmanager
def allowing(*names: str) -> Iterator[None]:
    """Within, configurations may name classes of these packages and modules, and of what lies below them, besides those allowed before.

    Args:
        names: dotted, such as ``"my_package"`` or ``"my_package.losses"``.

    Raises:
        ConfigurationError: for what is no name of a package or module.

    >>> with allowing("my_package"):
    ...     sorted(allowed())
    ['my_package']
    """
    before = allowed()
    allow(*names)
    try:
        yield
    finally:
        _allowed.set(before)


def allow(*names: str) -> None:
    """The same from here on, to the end of the context that this runs in: of a call of the command line, which has one of its own.

    Raises:
        ConfigurationError: for what is no name of a package or module.
    """
    for name in names:
        if not isinstance(name, str) or not DOTTED_PATH.fullmatch(f"{name}.x"):
            raise ConfigurationError(f"{name!r} names no package to trust; give a package or a module, such as my_package.losses")
    _allowed.set(_allowed.get() | set(names))


def allowed() -> frozenset[str]:
    """The packages, modules and classes that configurations may name here."""
    return _allowed.get()


def dotted_paths(content: Any) -> set[str]:
    """All values in nested settings that could be the dotted path of a class: what a user who types them has allowed.

    >>> sorted(dotted_paths({"loss": {"name": "my_package.MyLoss", "file": "a/b.csv"}, "scorer": ["regional"]}))
    ['my_package.MyLoss']
    """
    if isinstance(content, str):
        return {content} if DOTTED_PATH.fullmatch(content) else set()
    parts = content.values() if isinstance(content, Mapping) else content if isinstance(content, Sequence) else ()
    return {path for part in parts if not isinstance(part, int) for path in dotted_paths(part)}


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
        UntrustedError: for a dotted path outside multihot that is not allowed (see ``allowing``); nothing is imported.
        ConfigurationError: if nothing has that name; the message lists near misses and all choices.

    >>> find("loss", "bce").__name__
    'BinaryCrossEntropyLoss'
    """
    found = choices(kind)
    if "." in str(name):
        return _shipped(found, str(name)) or _import_dotted(kind, str(name))
    if kind == "classical":  # methods are called linear-svm, as people write them
        name = str(name).replace("-", "_")
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
    except UntrustedError:
        raise
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


def is_foreign(kind: str, name: str) -> bool:
    """Whether a name is the dotted path of something that multihot does not ship.

    >>> is_foreign("loss", "multihot.losses.ZLPRLoss"), is_foreign("loss", "my_package.MyLoss")
    (False, True)
    """
    return "." in name and _shipped(choices(kind), name) is None


def _shipped(found: Mapping[str, type[Any]], path: str) -> type[Any] | None:
    """The class of multihot's own that a dotted path names, by where it is defined or where it is exported."""
    for cls in found.values():
        if path in (f"{cls.__module__}.{cls.__name__}", f"{cls.__module__.rpartition('.')[0]}.{cls.__name__}"):
            return cls
    return None


def _import_dotted(kind: str, path: str) -> type[Any]:
    if not DOTTED_PATH.fullmatch(path):
        raise ConfigurationError(f"{kind} '{path}' is no dotted path of a class, such as my_package.MyClass")
    if not any(path == name or path.startswith(f"{name}.") for name in allowed()):
        raise UntrustedError({"sampler": "training.sampler", "classical": "method.name"}.get(kind, f"method.{kind}"), path)
    module_name, _, class_name = path.rpartition(".")
    try:
        cls = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError, TypeError, SyntaxError) as error:
        raise ConfigurationError(f"{kind} '{path}' cannot be imported ({error}); give the dotted path of a class on PYTHONPATH") from error
    base = _base_of(kind)
    if not isinstance(cls, type) or not issubclass(cls, base):  # anything else could be made to run a stranger's configuration
        raise ConfigurationError(f"{kind} '{path}' is no class derived from {base.__module__}.{base.__name__}; give the path of one")
    return cls


def _base_of(kind: str) -> type[Any]:
    """The class that every component of a kind derives from."""
    module = "multihot.classical.base" if kind == "classical" else "multihot.interfaces"
    name = {"distribution": "LabelDistribution"}.get(kind, KINDS[kind][1])
    return getattr(importlib.import_module(module), name)
