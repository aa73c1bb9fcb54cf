"""The straight path: data -> label space and statistics -> training -> decision -> predictions -> measures -> run folder."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..data import MultiLabelData
from ..data import load as load_data
from ..data.assumed import assumed, doubts
from ..errors import DataError, RunError, warn
from ..evaluation import break_down, has_label_sets, measure, targets_of, truth_of
from ..learners import Say, Task, Trained, learner_of, never_empty_where_none_is
from ..learners.explain.previews import excerpts
from ..memory import peak_memory
from ..predictions import save_prediction
from ..storage import plain, write_json
from ..storage.json_files import check_name
from ..training.errors import TrainingInterruptedError
from .begin import DATA, check_data, check_folder, clear_leavings, close_folder, open_folder, remember_data
from .config import Config, stored_config
from .doubts import check_rows, doubts_of_method, nothing_chosen
from .lock import only_writer
from .methods import check_experiment, pin_vectors
from .run import Run, describe_environment, kept_beside
from .seal import seal
from .set_aside import set_aside


def fit(
    config: Config, out: str | Path, data: MultiLabelData | None = None, *, overwrite: bool = False, say: Say = lambda line: None
) -> Run:
    """Train a method, choose its decisions on validation data, measure it on test data, and leave a run folder.

    Args:
        config: data, method, training and seed.
        out: the run folder to make.
        data: a data set already read; None reads what ``config.data`` names.
        overwrite: replace a run that is there.
        say: told in one line what happens.

    Returns:
        The finished run.

    Raises:
        ConfigurationError: before any data is read, when the method cannot work.
        DataError: for unusable data.
        RunError: if the folder holds a run already, or another training is writing to it.
        TrainingInterruptedError: after Ctrl-C; ``resume`` goes on.
    """
    check_experiment(config)
    _check_hardware(config)
    config = replace(config, method=pin_vectors(config.method))
    folder = Path(out)
    with only_writer(folder):
        check_folder(folder, overwrite)
        data = read_data(config) if data is None else set_aside(data, config.data, config.seed, learner_of(config.method).needs_validation)
        _begin(config, data, say)
        config = settle(config, data, say)
        open_folder(folder, config)
        return _carry_through(folder, config, data, resume=False, say=say)


def resume(out: str | Path, data: MultiLabelData | None = None, *, say: Say = lambda line: None) -> Run:
    """Go on with a training that was interrupted; the result is that of one never interrupted.

    Args:
        out: the run folder of the interrupted training.
        data: the data set, where the training was not given a file or a name.
        say: told in one line what happens.

    Returns:
        The finished run; at once, if it was finished already.

    Raises:
        RunError: if there is nothing to go on with, or another training is writing to the folder.
        DataError: if the data is not what the training began with.
    """
    folder = check_name(Path(out))
    if not folder.is_dir():
        raise RunError(f"there is no run folder {folder} to go on with; start one with `multihot train ... --out {folder}`")
    with only_writer(folder):
        return _go_on(folder, data, say)


def _go_on(folder: Path, data: MultiLabelData | None, say: Say) -> Run:
    clear_leavings(folder)
    if (folder / "metrics.json").exists():
        close_folder(folder)
        say(f"{folder} is finished already")
        return Run(folder)
    if not (folder / "config.yaml").exists():
        raise RunError(
            f"{folder} holds no training to go on with (config.yaml is missing); start one with `multihot train ... --out {folder}`"
        )
    config = stored_config(folder / "config.yaml")
    check_experiment(config)
    _check_hardware(config)
    pin_vectors(config.method)  # refuses other vectors than the training began with
    data = read_data(config) if data is None else set_aside(data, config.data, config.seed, learner_of(config.method).needs_validation)
    if (folder / DATA).exists():
        check_data(folder, data)
    elif (folder / "checkpoints").exists():
        say(f"{folder} was begun by a multihot that did not write down its data, so whether this is the same is not known")
    _begin(config, data, say)
    return _carry_through(folder, config, data, resume=True, say=say)


def _check_hardware(config: Config) -> None:
    if learner_of(config.method).in_updates:
        from ..training.fit import check_hardware

        check_hardware(config.training)


def read_data(config: Config) -> MultiLabelData:
    """The data an experiment names, with validation and test splits set aside where none are given."""
    settings = config.data
    if settings.source is None:
        raise DataError(
            "no data given; name a file, a folder or a data set (`multihot data list` shows those); for a recipe, --set data.source=FOLDER"
        )
    return set_aside(load_data(settings.source, **settings.reading()), settings, config.seed, learner_of(config.method).needs_validation)


def settle(config: Config, data: MultiLabelData, say: Say = lambda line: None) -> Config:
    """The experiment with what each "auto" stands for by name: epochs and clipping, what picks the checkpoint, in what precision, the
    smallest label set, and every argument of the method, so that another version's defaults change nothing."""
    learner = learner_of(config.method)
    training = learner.settle(config.training, lambda: data.positions("train", data.label_space(config.data.unseen_labels)) is not None)
    method: Any = config.method
    if learner.never_empty() != method:
        method = never_empty_where_none_is(learner, data.statistics(data.label_space(config.data.unseen_labels)))
    if method != config.method:
        say("every training row carries a label, so every prediction gets one at least (at_least: 0 would leave some without)")
    return replace(config, training=training, method=learner_of(method).spelt_out(data.modality))


def _begin(config: Config, data: MultiLabelData, say: Say) -> None:
    """Say what is assumed and what is in doubt, and refuse what the method cannot learn from."""
    space = data.label_space(unseen=config.data.unseen_labels)
    for line in assumed(data, space):
        say(line)
    check_rows(config.method, data, space)
    label_sets = not learner_of(config.method).predicts_degrees
    for line in [*doubts(data, space, label_sets), *doubts_of_method(config.method, data, space)]:
        warn(line)


def _carry_through(folder: Path, config: Config, data: MultiLabelData, resume: bool, say: Say) -> Run:
    if not (folder / DATA).exists():
        remember_data(folder, data)
    space = data.label_space(unseen=config.data.unseen_labels)
    statistics = data.statistics(space)
    if not statistics.counts.any():
        raise DataError(f"{data.name}: not one training instance carries a label; check the column with the labels")
    unseen = data.unseen_labels(space)
    _warn_unseen(unseen, config, say)
    if not (folder / "environment.json").exists():  # a training that goes on keeps the one it began with
        write_json(folder / "environment.json", describe_environment())
    if before := kept_beside(folder):
        say(f"the run before is in {before} until this one is finished")
    trained_on = {"names": space.names, "modality": data.modality, "reading": data.options, "statistics": statistics.to_dict()}
    whole = data.statistics(space, whole=True) if data.cut_off else statistics
    write_json(folder / "labels.json", trained_on | {"whole_statistics": whole.to_dict()})
    task = Task(data, space, statistics, whole, config.training, config.seed, config.data.unseen_labels)
    with _told_how_to_go_on(folder):
        measure_and_finish(folder, task, learner_of(config.method).train(task, folder, resume, say), unseen)
        close_folder(folder)
    return Run(folder)


@contextmanager
def _told_how_to_go_on(folder: Path) -> Iterator[None]:
    """Whoever stops what happens inside is told the command that goes on."""
    command = f"`{shlex.join(['multihot', 'train', '--resume', str(folder)])}` goes on"
    try:
        yield
    except TrainingInterruptedError as error:
        raise TrainingInterruptedError(f"{error}: {command}") from None
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; {command}") from None


def measure_and_finish(folder: Path, task: Task, trained: Trained, unseen: Any) -> None:
    """Predict and measure the validation and test splits, and seal the run folder.

    Measured against the whole training split: validation rows that were cut off from it were not seen all the same.
    """
    data, space, cost, predictor = task.data, task.space, trained.cost, trained.predictor
    metrics: dict[str, Any] = {"breakdowns": {}}
    (folder / "predictions").mkdir(exist_ok=True)
    for split in ("validation", "test"):
        if split not in data.splits or not len(data.splits[split]):
            continue
        rows = data.splits[split]
        prediction = trained.validation if split == "validation" else None
        if prediction is None:
            began = time.perf_counter()
            prediction = predictor.predict(rows)
            cost = cost.after_predicting(len(prediction), time.perf_counter() - began)
        if (word := nothing_chosen(prediction, split)) is not None:
            warn(word)
        targets, known = targets_of(data, split, space)
        truth = None if prediction.degrees is None else truth_of(data, split, space)
        if split == "test":
            for name, content in predictor.explained(rows, prediction).items():
                write_json(folder / name, content)
        save_prediction(folder / "predictions" / f"{split}.parquet", prediction, targets, excerpts(rows, data), truth)
        metrics[split] = measure(prediction, targets, task.whole, known, truth)
        seen = task.statistics if split in data.cut_off else task.whole
        metrics["breakdowns"][split] = break_down(prediction, targets, space, task.whole, known, seen)
        metrics["predictions"] = predictor.described() | {"label_sets": has_label_sets(prediction, data, space)}
    metrics["cost"] = replace(cost, peak_memory_bytes=max(peak_memory() or 0, cost.peak_memory_bytes or 0) or None).to_dict()
    metrics["data"] = {"name": data.name, "rows": {split: len(rows) for split, rows in data.splits.items()}, "unseen_labels": unseen}
    write_json(folder / "metrics.json", seal(folder, plain(metrics)))  # last: its presence says that the run is finished


def _warn_unseen(unseen: dict[str, dict[str, int]], config: Config, say: Say) -> None:
    for split, labels in unseen.items():
        if not labels:
            continue
        some = ", ".join(list(labels)[:5])
        if config.data.unseen_labels == "error":
            raise DataError(f"{split}: labels that never occur in training: {some}; use --set data.unseen_labels=ignore or include")
        say(f"{split}: {sum(labels.values())} occurrences of {len(labels)} labels never seen in training are left out ({some})")
