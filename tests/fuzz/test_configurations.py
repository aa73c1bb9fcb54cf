"""Whatever stands in a configuration, it is taken or refused in one line."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from profiles import one_line, quick, slow

from multihot.components import UntrustedError, allowing
from multihot.errors import ConfigurationError, MultihotError
from multihot.experiments.config import Config, load_config, override
from multihot.experiments.data_settings import DataSettings
from multihot.learners import learner_of
from multihot.parts import PARTS
from multihot.training.settings import TrainingSettings

NAMES = ["br", "linear-svm", "zlpr", "bce", "binary_relevance", "text_cnn", "threshold", "global", "top_k", "scoring", "tabular", "no such"]
DOTTED = [
    "subprocess.Popen", "builtins.int", "builtins.open", "collections.Counter", "os.system", "..x", ".x", "x.", "a..b", "\0.x", "no.such",
    "multihot.losses.ZLPRLoss", "multihot.encoders.TextCNNEncoder", "multihot.interfaces.Loss", "enum.Enum", "typing.Any", "abc.ABC",
]  # fmt: skip
WORDS = st.one_of(
    st.sampled_from([*NAMES, *DOTTED]),
    st.sampled_from(["", "1 epoch", "² epochs", "9" * 5000 + " updates", "-1 updates", "loss", "max", "auto", "stratified", "include"]),
    st.text(max_size=5),
)
NUMBERS = st.one_of(st.integers(-3, 40), st.sampled_from([10**30, -(10**30), 2**32, 2**63, 10**400]), st.floats())
PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, WORDS, st.dates(), st.binary(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(WORDS, st.integers(), st.none()), inner, max_size=3)),
    max_leaves=6,
)
ARGUMENTS = [
    "layers",
    "attention",
    "hidden_size",
    "width",
    "dropout",
    "k",
    "threshold",
    "value",
    "args",
    "size",
    "max_words",
    "C",
    "features",
]
PART = st.one_of(WORDS, st.fixed_dictionaries({"name": WORDS}, optional=dict.fromkeys(ARGUMENTS, PLAIN)), PLAIN)
METHOD = st.one_of(
    PLAIN, st.fixed_dictionaries({}, optional={"name": WORDS, **dict.fromkeys((*PARTS, "processor", "cost_sensitive", *ARGUMENTS), PART)})
)


def section(cls):
    """Settings of a section, some of the right kind, some of any."""
    return st.one_of(PLAIN, st.fixed_dictionaries({}, optional=dict.fromkeys(cls.__dataclass_fields__, PLAIN)))


CONTENT = st.one_of(
    PLAIN,
    st.fixed_dictionaries(
        {}, optional={"data": section(DataSettings), "method": METHOD, "training": section(TrainingSettings), "seed": PLAIN, "more": PLAIN}
    ),
)
PIECES = st.sampled_from(
    ["data:", "method:", " name: br", "\n", "  ", "- ", "&a ", "*a", "[", "]", "{", "}", "!!python/object/apply:os.system [x]",
    "!!float ''",
     "!!int ''", "!!timestamp x", "!!bool x", "!!binary x", "!!set {a}", "2001-99-99", "? ", ": ", "'", '"', "\0", "\t", "#", "|",
    "%YAML 9",
     "0b", "0x", "1_", "1:99", "=", "<<: ", "seed: 3", "[" * 3000, "é", "\ud800", "\x85", "---", "..."]
)  # fmt: skip
TEXT = st.lists(PIECES, max_size=12).map("".join)


def check_configuration(content: object) -> str:
    """Take a configuration as a training would, up to the data; the reason why it is refused, or nothing."""
    try:
        config = Config.from_dict(content)
        learner_of(config.method).check()
    except MultihotError as error:
        return one_line(error)
    again = Config.from_dict(yaml.safe_load(yaml.safe_dump(config.to_dict(), sort_keys=False)))
    assert repr(again) == repr(config)
    return ""


def check_yaml(text: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "experiment.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            content = load_config(path)
        except MultihotError as error:
            return one_line(error, str(path))
    return check_configuration(content) is not None


def check_override(settings: list[str]) -> str:
    try:
        content = override({"data": {"source": "x"}, "method": "br", "seed": 1}, settings)
    except MultihotError as error:
        return one_line(error)
    return check_configuration(content)


KEYS = ["method.loss", "method", "data.source", "training.epochs", "seed", "a..b", "", ".", "seed.x"]
SETTINGS = st.lists(
    st.builds("{}={}".format, st.sampled_from(KEYS), TEXT),
    max_size=3,
)  # fmt: skip


def test_a_valid_configuration_is_taken():
    assert check_configuration({"data": {"source": "x.csv"}, "method": "br", "training": {"epochs": 3}, "seed": 1}) == ""
    assert "no method 'bt'" in check_configuration({"method": "bt"})


@quick(120)
@given(CONTENT)
def test_configurations(content):
    assert check_configuration(content) is not None


@quick(100)
@given(METHOD)
def test_methods(method):
    assert check_configuration({"method": method}) is not None


@quick(100)
@given(TEXT)
def test_yaml(text):
    assert check_yaml(text) is not None


@quick(60)
@given(SETTINGS)
def test_overrides(settings):
    assert check_override(settings) is not None


@slow(20_000)
@given(CONTENT, METHOD, TEXT, SETTINGS)
def test_many_configurations(content, method, text, settings):
    assert check_configuration(content) is not None
    assert check_configuration({"method": method}) is not None
    assert check_yaml(text) is not None
    assert check_override(settings) is not None


def test_a_dotted_path_makes_components_only(tmp_path):
    made = tmp_path / "made"
    program = {"name": "subprocess.Popen", "args": f"touch {made}", "shell": True}
    for part in ("loss", "encoder", "scorer", "decision", "decoding", "objective", "distribution"):
        with pytest.raises(UntrustedError):
            learner_of({"name": "br", part: program}).check()
        with allowing("subprocess"), pytest.raises(ConfigurationError, match=r"'subprocess\.Popen' is no class derived from"):
            learner_of({"name": "br", part: program}).check()
    assert not made.exists()
