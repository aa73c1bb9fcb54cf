"""A finished run read by another decoding: the same weights, another way of getting label sets out of them, nothing trained again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..components import find, split_config
from ..data import MultiLabelData
from ..errors import ConfigurationError, DataError
from ..labels import binarise
from ..method import Method
from .begin import DATA, check_folder, close_folder, open_folder
from .config import Config
from .files import write_json
from .fit import Say, measure_and_finish, read_data
from .grouping import flatten
from .lock import only_writer
from .measure import targets_of
from .methods import check_method, is_classical, never_empty
from .predictor import NeuralPredictor, Predictor, kept_for_promise
from .run import FORMAT, Run, describe_environment
from .set_aside import set_aside

READING = ("method.decoding", "method.decision", "method.calibration")  # what reads a trained model
LOGGED = "training.readings"  # what read it while it was trained, and changed nothing
COPIED = ("model.safetensors", "processor.json", "features.json", "labels.json")


def redecode(
    run: Run,
    config: Config,
    out: str | Path,
    data: MultiLabelData | None = None,
    *,
    overwrite: bool = False,
    say: Say = lambda line: None,
) -> Run:
    """Read a finished run by another decoding, and leave a run folder like any other.

    Weights, processor and training log are copied. A decision or calibration is fitted anew on the validation split, then both splits
    are predicted and measured. In ``cost``, what the training took stays, and the speed of prediction is that of the new decoding.

    Args:
        run: the finished run.
        config: its experiment with another decoding, decision or calibration, and maybe figures published for that.
        out: the run folder to make.
        data: the data of the training, where ``config.data`` does not name it.
        overwrite: replace a run that is there.
        say: told in one line what happens.

    Returns:
        The new run.

    Raises:
        ConfigurationError: for a method without a decoding, or a configuration that would need another training.
        DataError: if the data is not what the run was trained on.
        RunError: if the folder holds a run already, or the run to read is damaged.
    """
    folder = Path(out)
    config = config.settled_like(run.config)
    _check_same_training(run, config)
    config = replace(config, method=never_empty(config.method, run.statistics))
    if folder.resolve() == run.folder.resolve():
        raise ConfigurationError(f"{folder} is the run to read; choose another --out")
    with only_writer(folder):
        check_folder(folder, overwrite)
        return _read_again(run, config, folder, data, say)


def _read_again(run: Run, config: Config, folder: Path, data: MultiLabelData | None, say: Say) -> Run:
    data = read_data(config) if data is None else set_aside(data, config.data, config.seed, not is_classical(config.method))
    _check_same_instances(run, data)
    run.check_files()
    predictor = _decided_anew(run, config, data, say)
    open_folder(folder, config)
    _copy(run, folder)
    predictor.save_decisions(folder)
    cost = {name: value for name, value in run.metrics["cost"].items() if name != "decoding_seconds"}
    measure_and_finish(folder, data, run.labels, run.whole_statistics, predictor, cost, run.metrics["data"]["unseen_labels"])
    close_folder(folder)
    return Run(folder)


def _decided_anew(run: Run, config: Config, data: MultiLabelData, say: Say) -> Predictor:
    """The run's weights with the configuration's decoding, fitted where it has something to learn."""
    if is_classical(config.method):
        from ..classical import load_classical

        classical = load_classical(run.folder, run.labels, run.statistics, config.method)
        say(f"{run.folder} read by {classical.described()['rule']}")
        classical.fit_again(data, run.labels, config.seed)
        return classical
    method = Method.from_config(config.method).for_modality(data.modality).check(data.modality)
    predictor = NeuralPredictor.load(run.folder, method, run.labels, run.statistics, decided=False)
    say(f"{run.folder} read by {method.summary()}")
    if predictor.decoding.decision is not None or predictor.decoding.calibration is not None:
        kept = kept_for_promise(predictor.decoding, config.training.monitor, len(data.splits["validation"]))
        if kept is not None and not _promised(run):
            say("the weights were chosen by all of the validation split, so that nothing is guaranteed; train with this decision for that")
            kept[:] = False
        predictor.decoding.fit(predictor.predict(data.splits["validation"]), *targets_of(data, "validation", run.labels), kept)
    return predictor


def _check_same_training(run: Run, config: Config) -> None:
    """Refuse a configuration that the run's weights do not belong to."""
    check_method(config.method)
    ours, theirs = _settings(run.config), _settings(config)
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key) and not key.startswith((*READING, "published", "method.name", LOGGED)):
            raise ConfigurationError(
                f"{run.folder} was trained with {key} {ours.get(key)!r}, not {theirs.get(key)!r}; a finished run can only be read "
                f"with another {', '.join(READING)}, so train anew or leave {key} as it was"
            )


def _promised(run: Run) -> bool:
    """Whether the run kept validation rows for a decision that promises."""
    decision = Method.from_config(run.config.method).decision
    return decision is not None and find("decision", split_config("decision", decision)[0]).promises


def _settings(config: Config) -> dict[str, Any]:
    """All settings under dotted keys, with every part of the method spelt out."""
    parts = dict(config.method) if is_classical(config.method) else Method.from_config(config.method).to_config()
    return flatten(replace(config, method=parts).to_dict())


def _check_same_instances(run: Run, data: MultiLabelData) -> None:
    for split in ("validation", "test"):
        if split not in run.metrics:
            continue
        prediction, kept = run.prediction(split)
        same = split in data.splits and prediction.ids == list(data.splits[split]["id"])
        if not same or kept is None or (kept != binarise(targets_of(data, split, run.labels)[0])).nnz:
            raise DataError(
                f"{data.name}: its {split} split is not the one that {run.folder} was measured on; give the data of the training"
            )


def _copy(run: Run, folder: Path) -> None:
    for name in COPIED:
        if (run.folder / name).exists():  # a neural run has a processor, a classical one features
            shutil.copyfile(run.folder / name, folder / name)
    if (run.folder / DATA).exists():
        shutil.copyfile(run.folder / DATA, folder / DATA)
    if (run.folder / "log").is_dir():
        shutil.copytree(run.folder / "log", folder / "log")
    decoded = {"command": describe_environment()["command"], "weights_of": str(run.folder)}
    write_json(folder / "environment.json", run.environment | {"run_format": FORMAT, "decoded": decoded})
