"""What every component promises: an interface, a documented constructor, a name of its own, and a test that knows it."""

import inspect
import re
from pathlib import Path

import pytest

from multihot import interfaces
from multihot.components import KINDS, allowing, build, check_keys, choices, find, snake_case, split_config
from multihot.errors import ConfigurationError

HERE = Path(__file__).parent
INTERFACES = {
    "loss": interfaces.Loss,
    "distribution": interfaces.LabelDistribution,
    "encoder": interfaces.Encoder,
    "scorer": interfaces.Scorer,
    "decoder": interfaces.Decoder,
    "objective": interfaces.Objective,
    "decoding": interfaces.Decoding,
    "calibration": interfaces.Calibration,
    "decision": interfaces.Decision,
    "processor": interfaces.Processor,
    "sampler": interfaces.Sampling,
}
COMPONENTS = [pytest.param(kind, name, cls, id=f"{kind}-{name}") for kind in KINDS for name, cls in choices(kind).items()]
TESTS = {path: path.read_text() for path in HERE.rglob("test_*.py") if path != Path(__file__)}


@pytest.mark.parametrize(("kind", "name", "cls"), COMPONENTS)
class TestEveryComponent:
    def test_it_offers_its_interface(self, kind: str, name: str, cls: type) -> None:
        assert issubclass(cls, INTERFACES.get(kind, object))
        assert not inspect.isabstract(cls)

    def test_its_name_and_aliases_find_it_and_nothing_else(self, kind: str, name: str, cls: type) -> None:
        assert name == snake_case(cls.__name__.removesuffix(KINDS[kind][1]))
        for other in (name, *getattr(cls, "aliases", ()), f"{cls.__module__}.{cls.__name__}"):
            assert find(kind, other) is cls

    def test_its_docstring_says_what_it_is_and_what_it_takes(self, kind: str, name: str, cls: type) -> None:
        text = cls.__doc__ or ""
        assert re.match(r"\S.*[.;:]", text.strip())
        named = [p.name for p in inspect.signature(cls).parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        undocumented = [p for p in named if not re.search(rf"^ +(\w+, )*{p}(, \w+)*: ", text, re.MULTILINE)]
        assert undocumented == [] or "Arguments are those of" in text

    def test_a_test_knows_it(self, kind: str, name: str, cls: type) -> None:
        called = "|".join([rf"\b{cls.__name__}\b", *(f'"{name}"' for name in (name, *getattr(cls, "aliases", ())))])
        assert any(re.search(called, text) for text in TESTS.values()), f"no test under tests/ mentions {cls.__name__}"


def test_an_unknown_name_lists_the_choices() -> None:
    with pytest.raises(ConfigurationError, match=r"there is no loss 'zlpt'; did you mean 'zlpr'\?"):
        build("loss", "zlpt")
    with pytest.raises(ConfigurationError, match="there is no kind of component 'los'; did you mean 'loss'"):
        choices("los")


def test_what_surrounds_fills_what_the_configuration_leaves_open() -> None:
    scorer = build("scorer", {"name": "binary_relevance", "hidden_size": 8}, num_labels=3, width=4, statistics=None, label_space="unused")
    assert scorer.output.out_features == 3
    assert build("scorer", {"name": "binary_relevance", "num_labels": 7}, num_labels=3, width=4).output.out_features == 7


def test_wrong_and_missing_settings_are_named() -> None:
    with pytest.raises(ConfigurationError, match=r"loss 'bce' has no setting 'reducton'; did you mean 'reduction'"):
        build("loss", {"name": "bce", "reducton": "sum"})
    with pytest.raises(ConfigurationError, match="scorer 'binary_relevance' needs num_labels, width, which nothing supplied"):
        build("scorer", "binary_relevance")
    with pytest.raises(ConfigurationError, match="loss 'bce': the 'reduction' parameter must be"):
        build("loss", {"name": "bce", "reduction": "max"})
    with pytest.raises(ConfigurationError, match="loss must be a name or a mapping with 'name'"):
        split_config("loss", {"reduction": "sum"})
    with pytest.raises(ConfigurationError, match="here has no setting 'a'"):
        check_keys({"a": 1}, {"b"}, where="here")


def test_any_class_can_be_named_by_its_dotted_path() -> None:
    assert find("loss", "multihot.losses.zlpr.ZLPRLoss").__name__ == "ZLPRLoss"
    with allowing("no_such_package", "math", "torch.nn"):
        with pytest.raises(ConfigurationError, match=r"cannot be imported .*; give the dotted path"):
            find("loss", "no_such_package.Loss")
        with pytest.raises(ConfigurationError, match=r"is no class derived from multihot\.interfaces\.Loss"):
            find("loss", "math.pi")
        with pytest.raises(ConfigurationError, match=r"is no class derived from multihot\.interfaces\.Loss"):
            find("loss", "torch.nn.BCELoss")


def test_a_setting_that_is_refused_names_the_component():
    with pytest.raises(ConfigurationError, match=r"loss 'focal': the 'gamma' parameter must be .* got -1"):
        build("loss", {"name": "focal", "gamma": -1})
