"""The straight path: data -> label space and statistics -> training -> decision -> predictions -> measures -> run folder."""

from __future__ import annotations

import resource
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..components import build, find, split_config
from ..data import MultiLabelData
from ..data import load as load_data
from ..errors import DataError, RunError
from ..labels import LabelSpace, LabelStatistics
from ..method import Method
from ..predictions import Prediction, save_prediction
from .attention import attention_kept
from .config import Config, load_config, save_config
from .excerpts import excerpts
from .feature_map import feature_map
from .files import check_name, plain, write_json
from .frozen import encode_once
from .measure import break_down, measure, targets_of, truth_of
from .methods import check_experiment, is_classical
from .predictor import NeuralPredictor, Predictor
from .run import Run, describe_environment
from .seal import seal
from .set_aside import set_aside

Say = Callable[[str], None]


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
        RunError: if the folder holds a run already.
        TrainingInterruptedError: after Ctrl-C; ``resume`` goes on.
    """
    check_experiment(config)
    folder = Path(out)
    check_folder(folder, overwrite)
    data = read_data(config) if data is None else set_aside(data, config.data, config.seed, not is_classical(config.method))
    config = with_monitor(config, data)
    previous = open_folder(folder, config)
    run = _carry_through(folder, config, data, resume=False, say=say)
    if previous:
        shutil.rmtree(previous)
    return run


def resume(out: str | Path, data: MultiLabelData | None = None, *, say: Say = lambda line: None) -> Run:
    """Go on with a training that was interrupted; the result is that of one never interrupted.

    Args:
        out: the run folder of the interrupted training.
        data: the data set, where the training was not given a file or a name.
        say: told in one line what happens.

    Returns:
        The finished run; at once, if it was finished already.
    """
    folder = check_name(Path(out))
    if (folder / "metrics.json").exists():
        say(f"{folder} is finished already")
        return Run(folder)
    if not (folder / "config.yaml").exists():
        raise RunError(
            f"{folder} holds no training to go on with (config.yaml is missing); start one with `multihot train ... --out {folder}`"
        )
    config = Config.from_dict(load_config(folder / "config.yaml"), where=str(folder / "config.yaml"))
    check_experiment(config)
    data = read_data(config) if data is None else set_aside(data, config.data, config.seed, not is_classical(config.method))
    return _carry_through(folder, config, data, resume=True, say=say)


def read_data(config: Config) -> MultiLabelData:
    """The data an experiment names, with validation and test splits set aside where none are given."""
    settings = config.data
    if settings.source is None:
        raise DataError("no data given; name a file, a folder or a data set (`multihot data list` shows those)")
    return set_aside(load_data(settings.source, **settings.reading()), settings, config.seed, validation=not is_classical(config.method))


def with_monitor(config: Config, data: MultiLabelData) -> Config:
    """The experiment with the measure that "auto" stands for by name, so that the run's configuration says what picked its checkpoint."""
    if config.training.monitor != "auto":
        return config
    monitor = "micro_f1"
    if not is_classical(config.method):
        name, _ = split_config("decoding", Method.from_config(config.method).decoding)
        if find("decoding", name).predicts_degrees:
            on_axis = data.positions("train", data.label_space(config.data.unseen_labels)) is not None
            monitor = "mean_absolute_error" if on_axis else "kullback_leibler"
    return replace(config, training=replace(config.training, monitor=monitor))


def _carry_through(folder: Path, config: Config, data: MultiLabelData, resume: bool, say: Say) -> Run:
    space = data.label_space(unseen=config.data.unseen_labels)
    statistics = data.statistics(space)
    if not statistics.counts.any():
        raise DataError(f"{data.name}: not one training instance carries a label; check the column with the labels")
    unseen = data.unseen_labels(space)
    _warn_unseen(unseen, config, say)
    sizes = ", ".join(f"{len(rows):,} {split}" for split, rows in data.splits.items())
    if not (folder / "environment.json").exists():  # a training that goes on keeps the one it began with
        write_json(folder / "environment.json", describe_environment())
    say(f"{data.name}: {sizes}; {len(space)} labels, {statistics.cardinality:.2f} an instance")
    trained_on = {"names": space.names, "modality": data.modality, "reading": data.options, "statistics": statistics.to_dict()}
    write_json(folder / "labels.json", trained_on)
    predictor, cost = _train(folder, config, data, space, statistics, resume)
    measure_and_finish(folder, data, space, statistics, predictor, cost, unseen)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return Run(folder)


def _train(
    folder: Path, config: Config, data: MultiLabelData, space: LabelSpace, statistics: LabelStatistics, resume: bool
) -> tuple[Predictor, dict[str, Any]]:
    if not is_classical(config.method):
        return _train_neural(folder, config, data, space, statistics, resume)
    from ..classical import fit_classical

    began = time.perf_counter()
    predictor = fit_classical(config.method, data, space, config.seed)
    cost = {"seconds": time.perf_counter() - began, "parameters": predictor.num_parameters}
    predictor.save(folder)
    return predictor, cost


def _train_neural(
    folder: Path, config: Config, data: MultiLabelData, space: LabelSpace, statistics: LabelStatistics, resume: bool
) -> tuple[NeuralPredictor, dict[str, Any]]:
    from ..data.batches import make_loader
    from ..training.fit import seed_everything, train

    seed_everything(config.seed)
    method = Method.from_config(config.method).for_modality(data.modality).check(data.modality)
    processor = method.build_processor(num_features=data.num_features).fit(data.splits["train"])
    model, objective, decoding = method.assemble(processor, space, statistics)
    options: dict[str, Any] = {"workers": config.training.workers, "unseen": config.data.unseen_labels}
    sampling = build("sampler", config.training.sampler, targets=data.label_sets("train", space)[0])
    loaders = {
        split: make_loader(
            encode_once(model.encoder, processor, processor.prepare(data.splits[split])), processor, space,
            batch_size=config.training.batch_size, shuffle=split == "train", seed=config.seed,
            sampling=sampling if split == "train" else None, **options,
        )
        for split in ("train", "validation")
    }  # fmt: skip
    validation_ids = list(data.splits["validation"]["id"])
    targets, known = targets_of(data, "validation", space)
    truth = truth_of(data, "validation", space) if decoding.predicts_degrees else None

    def judge(prediction: Prediction) -> dict[str, float]:
        ordered = decoding.fit(prediction.reorder(validation_ids), targets, known)
        return measure(ordered, targets, statistics, known, truth)

    outcome = train(
        model, objective, decoding, loaders["train"], loaders["validation"], judge, config.training, folder, config.seed, resume
    )
    predictor = NeuralPredictor(model, decoding, processor, space)
    decoding.fit(predictor.predict(data.splits["validation"]), targets, known)
    predictor.save(folder)
    return predictor, asdict(outcome)


def measure_and_finish(
    folder: Path,
    data: MultiLabelData,
    space: LabelSpace,
    statistics: LabelStatistics,
    predictor: Predictor,
    cost: dict[str, Any],
    unseen: Any,
) -> None:
    """Predict and measure the validation and test splits, and seal the run folder; ``cost`` gets the speed of prediction."""
    metrics: dict[str, Any] = {"breakdowns": {}}
    (folder / "predictions").mkdir(exist_ok=True)
    for split in ("validation", "test"):
        if split not in data.splits or not len(data.splits[split]):
            continue
        began = time.perf_counter()
        prediction = predictor.predict(data.splits[split])
        seconds = time.perf_counter() - began
        cost["predictions_per_second"] = len(prediction) / seconds
        cost["decoding_seconds"] = cost.get("decoding_seconds", 0.0) + seconds
        targets, known = targets_of(data, split, space)
        truth = None if prediction.degrees is None else truth_of(data, split, space)
        if split == "test" and isinstance(predictor, NeuralPredictor):
            _keep_for_reports(folder, predictor, data.splits[split], prediction)
        save_prediction(folder / "predictions" / f"{split}.parquet", prediction, targets, excerpts(data.splits[split], data), truth)
        metrics[split] = measure(prediction, targets, statistics, known, truth)
        metrics["breakdowns"][split] = break_down(prediction, targets, space, statistics, known)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    cost["peak_memory_bytes"] = max(used, cost.get("peak_memory_bytes", 0))
    metrics["cost"] = cost
    metrics["data"] = {"name": data.name, "rows": {split: len(rows) for split, rows in data.splits.items()}, "unseen_labels": unseen}
    write_json(folder / "metrics.json", seal(folder, plain(metrics)))  # last: its presence says that the run is finished


def _keep_for_reports(folder: Path, predictor: NeuralPredictor, rows: Any, prediction: Prediction) -> None:
    """What a report shows beyond predictions, as it needs the model."""
    if attention := attention_kept(predictor, rows, prediction):
        write_json(folder / "attention.json", attention)
    if prediction.degrees is not None:
        write_json(folder / "feature_map.json", feature_map(predictor, rows))


def _warn_unseen(unseen: dict[str, dict[str, int]], config: Config, say: Say) -> None:
    for split, labels in unseen.items():
        if not labels:
            continue
        some = ", ".join(list(labels)[:5])
        if config.data.unseen_labels == "error":
            raise DataError(f"{split}: labels that never occur in training: {some}; use --set data.unseen_labels=ignore or include")
        say(f"{split}: {sum(labels.values())} occurrences of {len(labels)} labels never seen in training are left out ({some})")


def check_folder(folder: Path, overwrite: bool) -> None:
    """Refuse to touch what is there, unless told to or unless nothing in it is worth keeping."""
    if check_name(folder).exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; choose another --out")
    begun = "config.yaml.partial"  # all that a training killed in its first moment leaves
    if not folder.exists() or not any(path.name != begun for path in folder.iterdir()):
        return
    if not (folder / "config.yaml").exists():
        raise RunError(f"{folder} is not empty and no run folder, so nothing is written to it; choose another --out")
    if overwrite:
        return
    if (folder / "metrics.json").exists():
        raise RunError(f"{folder} holds a finished run already; choose another --out or pass --overwrite")
    if (folder / "checkpoints" / "last.ckpt").exists():
        raise RunError(f"{folder} holds an unfinished run; `multihot train --resume {folder}` goes on with it, --overwrite starts anew")


def open_folder(folder: Path, config: Config) -> Path | None:
    """Start a run folder; a finished run that it replaces is moved aside (and returned) until the new one is finished."""
    previous = None
    if (folder / "metrics.json").exists():
        previous = folder.with_name(folder.name + ".previous")
        shutil.rmtree(previous, ignore_errors=True)
        folder.rename(previous)
    elif folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    save_config(folder / "config.yaml", config)
    return previous
