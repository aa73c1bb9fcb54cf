"""A finished run read by another decoding: the same weights, another way of getting label sets out of them, nothing trained again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..components import find, split_config
from ..data import MultiLabelData
from ..errors import ConfigurationError, DataError
from ..evaluation import targets_of
from ..labels import binarise
from ..learners import Cost, Say, Task, Trained, learner_of, never_empty_where_none_is
from ..storage.json_files import write_json
from .begin import DATA, check_folder, close_folder, open_folder
from .config import Config, flatten
from .fit import measure_and_finish, read_data
from .lock import only_writer
from .methods import settled_like
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
    config = settled_like(_without_leftovers(config, run.config), run.config)
    _check_same_training(run, config)
    method = never_empty_where_none_is(learner_of(config.method), run.statistics)
    config = replace(config, method=learner_of(method).spelt_out(run.trained_on["modality"]))
    if folder.resolve() == run.folder.resolve():
        raise ConfigurationError(f"{folder} is the run to read; choose another --out")
    with only_writer(folder):
        check_folder(folder, overwrite)
        return _read_again(run, config, folder, data, say)


def _read_again(run: Run, config: Config, folder: Path, data: MultiLabelData | None, say: Say) -> Run:
    data = read_data(config) if data is None else set_aside(data, config.data, config.seed, learner_of(config.method).needs_validation)
    _check_same_instances(run, data)
    run.check_files()
    task = Task(data, run.labels, run.statistics, run.whole_statistics, config.training, config.seed, config.data.unseen_labels)
    predictor = learner_of(config.method).read_again(run.folder, task, _promised(run), say)
    open_folder(folder, config)
    _copy(run, folder)
    predictor.save_decisions(folder)
    cost = replace(Cost.from_dict(run.metrics["cost"]), decoding_seconds=None)
    measure_and_finish(folder, task, Trained(predictor, cost), run.metrics["data"]["unseen_labels"])
    close_folder(folder)
    return Run(folder)


def _without_leftovers(config: Config, before: Config) -> Config:
    """The experiment without the decision or calibration of the run that another decoding reads nothing of."""
    left = [kind for kind in learner_of(config.method).unread if config.method.get(kind) == before.method.get(kind)]
    return replace(config, method={key: value for key, value in config.method.items() if key not in left})


def _check_same_training(run: Run, config: Config) -> None:
    """Refuse a configuration that the run's weights do not belong to."""
    learner_of(config.method).check()
    ours, theirs = (_settings(one, run.trained_on["modality"]) for one in (run.config, config))
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key) and not key.startswith((*READING, "published", "method.name", LOGGED)):
            raise ConfigurationError(
                f"{run.folder} was trained with {key} {ours.get(key)!r}, not {theirs.get(key)!r}; a finished run can only be read "
                f"with another {', '.join(READING)}, so train anew or leave {key} as it was"
            )


def _promised(run: Run) -> bool:
    """Whether the run kept validation rows for a decision that promises."""
    decision = dict(learner_of(run.config.method).parts_by_kind()).get("decision")
    return decision is not None and find("decision", split_config("decision", decision)[0]).promises


def _settings(config: Config, modality: str) -> dict[str, Any]:
    """All settings under dotted keys, with the method spelt out."""
    return flatten(replace(config, method=learner_of(config.method).spelt_out(modality)).to_dict())


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
