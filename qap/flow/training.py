"""The stages up to the integer network: data, teacher, student, freeze."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qap.data import Dataset, Split
from qap.extras import load_tensorflow
from qap.files import write_with
from qap.flow.stage import Progress
from qap.network import save_network
from qap.run import DATA, HISTORY, NETWORK, STUDENT, TEACHER, TEACHER_HISTORY, WEIGHTS, RunDirectory
from qap.run.stages import learns_from_file

if TYPE_CHECKING:
    from qap.training.history import EpochRecord, Tell


def data(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    """Load and check the data, and record what they are."""
    loaded = run.dataset
    content = {
        "name": loaded.name,
        "digest": loaded.digest,
        "data_dir": str(run.data_dir.resolve()) if run.data_dir else None,
        "samples": {"train": len(loaded.train), "validation": len(loaded.validation), "test": len(loaded.test)},
        "class_names": list(loaded.class_names),
        "input_format": str(loaded.input_format),
        "image_shape": list(loaded.image_shape) if loaded.image_shape else None,
        "scaling": loaded.scaling.to_dict() if loaded.scaling else None,
    }
    if not run.file(DATA).exists() or run.read_json(DATA) != content:
        run.write_json(DATA, content)
    return {key: content[key] for key in ("name", "digest", "samples")}


def teacher(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    """Train the teacher, if the recipe wants one."""
    if not run.recipe.trains_teacher:
        return {}
    load_tensorflow()
    from qap.training import train_teacher
    from qap.training.networks import save_model

    model, history = train_teacher(run.recipe, run.dataset, _told(progress))
    history.write_csv(run.file(TEACHER_HISTORY))
    save_model(model, run.file(TEACHER))
    return {**_judge(model, run.dataset), "parameters": int(model.count_params()), "best_epoch": history.best_epoch}


def student(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    """Train the student."""
    load_tensorflow()
    from qap.training import train_student
    from qap.training.networks import dense_layers, load_model, save_model, untrained_student

    recipe, data = run.recipe, run.dataset
    teacher = load_model(run.file(TEACHER)) if learns_from_file(recipe) else None
    model, history = train_student(recipe, data, teacher, _told(progress))
    untrained = untrained_student(recipe, data.n_in, data.n_classes)
    _save_kernels(run, initial=untrained, trained=model)
    history.write_csv(run.file(HISTORY))
    save_model(model, run.file(STUDENT))
    return {
        **_judge(model, data),
        "best_epoch": history.best_epoch,
        "pruned": history.best.sparsity,
        "units_trained": [layer.units for layer in recipe.student.layers],
        "units": [int(layer.kernel.shape[1]) for layer in dense_layers(model)],
    }


def freeze(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    """Turn the student into the exact integer network."""
    load_tensorflow()
    from qap.freezing import freeze
    from qap.training.networks import load_model

    data = run.dataset
    network = freeze(load_model(run.file(STUDENT)), data.input_format, data.class_names)
    save_network(network, run.file(NETWORK))
    return {
        **judged(lambda split: network.classify(split.x), data),
        "digest": network.digest,
        "parameters": network.parameters,
        "nonzeros": network.nonzeros,
        "sparsity": network.sparsity,
        "size_bytes": network.size_bytes,
    }


def _told(progress: Progress) -> Tell:
    def tell(record: EpochRecord) -> None:
        progress.advance(f"validation accuracy {record.validation_accuracy:.2%}, sparsity {record.sparsity:.1%}")

    return tell


def _judge(model: Any, data: Dataset) -> dict[str, Any]:
    from qap.training.fit import predict_logits

    return judged(lambda split: predict_logits(model, split.x, data.input_format.lsb).argmax(axis=1), data)


def judged(decide: Callable[[Split], npt.NDArray[Any]], data: Dataset) -> dict[str, Any]:
    """Accuracy on every part, and the confusion matrix (true class, decided class) on test."""
    decided = {part: decide(getattr(data, part)) for part in ("train", "validation", "test")}
    accuracy = {part: float((classes == getattr(data, part).y).mean()) for part, classes in decided.items()}
    confusion = np.zeros((data.n_classes, data.n_classes), np.int64)
    np.add.at(confusion, (data.test.y, decided["test"]), 1)
    return {"accuracy": accuracy, "confusion": confusion.tolist()}


def _save_kernels(run: RunDirectory, **models: Any) -> None:
    """Keep the float kernels of models as `NAME_INDEX`, for the report."""
    from qap.training.networks import dense_layers

    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, model in models.items():
        kernels = [np.asarray(layer.kernel) for layer in dense_layers(model)]
        arrays |= {f"{name}_{index}": kernel for index, kernel in enumerate(kernels)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_with(run.file(WEIGHTS), lambda path: path.write_bytes(buffer.getvalue()))
