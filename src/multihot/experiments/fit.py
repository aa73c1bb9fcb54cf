"""The straight path: data -> label space and statistics -> training -> decision -> predictions -> measures -> run folder."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..components import build, find, split_config
from ..data import MultiLabelData
from ..data import load as load_data
from ..errors import DataError, RunError
from ..interfaces import Decoding
from ..labels import LabelSpace, LabelStatistics
from ..method import Method
from ..metrics import evaluate
from ..predictions import Prediction, save_prediction
from .attention import attention_kept
from .begin import DATA, check_data, check_folder, clear_leavings, close_folder, open_folder, remember_data
from .config import Config, load_config
from .excerpts import excerpts
from .feature_map import feature_map
from .files import check_name, plain, write_json
from .frozen import encode_once
from .lock import only_writer
from .measure import break_down, has_label_sets, measure, targets_of, truth_of
from .methods import check_experiment, emits_labels, is_classical, never_empty, pin_vectors, with_fewest
from .predictor import NeuralPredictor, Predictor, kept_for_promise
from .readings import MEASURES, readings_of
from .run import Run, describe_environment, kept_beside
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
        RunError: if the folder holds a run already, or another training is writing to it.
        TrainingInterruptedError: after Ctrl-C; ``resume`` goes on.
    """
    check_experiment(config)
    _check_hardware(config)
    config = replace(config, method=pin_vectors(config.method))
    folder = Path(out)
    with only_writer(folder):
        check_folder(folder, overwrite)
        data = read_data(config) if data is None else set_aside(data, config.data, config.seed, not is_classical(config.method))
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
    config = Config.from_dict(load_config(folder / "config.yaml"), where=str(folder / "config.yaml"))
    check_experiment(config)
    _check_hardware(config)
    pin_vectors(config.method)  # refuses other vectors than the training began with
    data = read_data(config) if data is None else set_aside(data, config.data, config.seed, not is_classical(config.method))
    if (folder / DATA).exists():
        check_data(folder, data)
    elif (folder / "checkpoints").exists():
        say(f"{folder} was begun by a multihot that did not write down its data, so whether this is the same is not known")
    return _carry_through(folder, config, data, resume=True, say=say)


def _check_hardware(config: Config) -> None:
    if not is_classical(config.method):
        from ..training.fit import check_hardware

        check_hardware(config.training)


def read_data(config: Config) -> MultiLabelData:
    """The data an experiment names, with validation and test splits set aside where none are given."""
    settings = config.data
    if settings.source is None:
        raise DataError("no data given; name a file, a folder or a data set (`multihot data list` shows those)")
    return set_aside(load_data(settings.source, **settings.reading()), settings, config.seed, validation=not is_classical(config.method))


def settle(config: Config, data: MultiLabelData, say: Say = lambda line: None) -> Config:
    """The experiment with what each "auto" stands for by name: epochs and clipping, what picks the checkpoint, in what precision, and the
    smallest label set."""
    training = config.training.for_decoder(emits_labels(config.method))
    if training.monitor == "auto":
        training = replace(training, monitor=_monitor(config, data))
    if training.precision == "auto" and not is_classical(config.method):
        from ..training.fit import resolve_precision

        training = replace(training, precision=resolve_precision(training))
    method: Any = config.method
    if with_fewest(method) != method:
        method = never_empty(method, data.statistics(data.label_space(config.data.unseen_labels)))
    if method != config.method:
        say("every training row carries a label, so every prediction gets one at least (at_least: 0 would leave some without)")
    return replace(config, training=training, method=method)


def _monitor(config: Config, data: MultiLabelData) -> str:
    if is_classical(config.method):
        return "micro_f1"
    name, _ = split_config("decoding", Method.from_config(config.method).decoding)
    if not find("decoding", name).predicts_degrees:
        return "micro_f1"
    on_axis = data.positions("train", data.label_space(config.data.unseen_labels)) is not None
    return "mean_absolute_error" if on_axis else "kullback_leibler"


def _carry_through(folder: Path, config: Config, data: MultiLabelData, resume: bool, say: Say) -> Run:
    if not (folder / DATA).exists():
        remember_data(folder, data)
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
    if before := kept_beside(folder):
        say(f"the run before is in {before} until this one is finished")
    trained_on = {"names": space.names, "modality": data.modality, "reading": data.options, "statistics": statistics.to_dict()}
    whole = data.statistics(space, whole=True) if data.cut_off else statistics
    write_json(folder / "labels.json", trained_on | {"whole_statistics": whole.to_dict()})
    predictor: Predictor
    if is_classical(config.method):
        predictor, cost = _train_classical(folder, config, data, space, statistics)
    else:
        predictor, cost = _train_neural(folder, config, data, space, statistics, whole, resume, say)
    measure_and_finish(folder, data, space, whole, predictor, cost, unseen)
    close_folder(folder)
    return Run(folder)


def _train_classical(
    folder: Path, config: Config, data: MultiLabelData, space: LabelSpace, statistics: LabelStatistics
) -> tuple[Predictor, dict[str, Any]]:
    from ..classical import fit_classical

    began = time.perf_counter()
    predictor = fit_classical(config.method, data, space, config.seed, statistics=statistics)
    cost = {"seconds": time.perf_counter() - began, "parameters": predictor.num_parameters}
    predictor.save(folder)
    return predictor, cost


def _train_neural(
    folder: Path,
    config: Config,
    data: MultiLabelData,
    space: LabelSpace,
    statistics: LabelStatistics,
    whole: LabelStatistics,
    resume: bool,
    say: Say,
) -> tuple[NeuralPredictor, dict[str, Any]]:
    from ..data.batches import make_loader
    from ..training.fit import seed_everything, train
    from ..training.module import Reading

    seed_everything(config.seed)
    method = Method.from_config(config.method).for_modality(data.modality).check(data.modality)
    processor = method.build_processor(num_features=data.num_features).fit(data.splits["train"])
    loss = method.build_loss(space, statistics)
    model, objective, decoding = method.assemble(processor, space, statistics, loss, say)
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
    kept = kept_for_promise(decoding, config.training.monitor, len(validation_ids))

    def judge(prediction: Prediction) -> dict[str, float]:
        if kept is None or not kept.any():
            return measure(decoding.fit(prediction.reorder(validation_ids), targets, known, kept), targets, whole, known, truth)
        rows = np.flatnonzero(~kept)
        some, known_of_some = targets[rows], None if known is None else known[rows]
        ordered = decoding.fit(prediction.reorder([validation_ids[i] for i in rows]), some, known_of_some, np.zeros(len(rows), dtype=bool))
        return measure(ordered, some, whole, known_of_some)

    def also(reading: Decoding) -> Reading:
        def judge_reading(prediction: Prediction) -> dict[str, float]:
            found = evaluate(targets, reading.fit(prediction.reorder(validation_ids), targets, known).chosen, known=known)
            return {name: found[name] for name in MEASURES if name in found}

        return reading, judge_reading

    readings = {name: also(other.build_decoding(space, statistics, loss)) for name, other in readings_of(config, statistics).items()}
    outcome = train(
        model, objective, decoding, loaders["train"], loaders["validation"], judge, config.training, folder, config.seed, resume, readings
    )
    predictor = NeuralPredictor(model, decoding, processor, space)
    decoding.fit(predictor.predict(data.splits["validation"]), targets, known, kept)
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
    """Predict and measure the validation and test splits, and seal the run folder; ``cost`` gets the speed of prediction.

    ``statistics`` are of the whole training split; validation rows that were cut off from it were not seen all the same.
    """
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
        seen = data.statistics(space) if split in data.cut_off else statistics
        metrics["breakdowns"][split] = break_down(prediction, targets, space, statistics, known, seen)
        metrics["predictions"] = predictor.described() | {"label_sets": has_label_sets(prediction, data, space)}
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
