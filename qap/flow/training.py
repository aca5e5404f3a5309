"""The stages up to the integer network: data, teacher, student, freeze."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qap.data import Dataset
from qap.errors import NotExact
from qap.extras import load_tensorflow
from qap.flow.importing import import_network, import_student
from qap.flow.kernels import save_kernels
from qap.flow.operating_point import choose, described
from qap.flow.stage import Progress
from qap.judging import judged, majority
from qap.network import IntegerNetwork, save_network
from qap.network.stored_size import stored_bytes
from qap.run import DATA, HISTORY, NETWORK, STUDENT, TEACHER, TEACHER_HISTORY, RunDirectory
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
        **({"fill": list(loaded.fill)} if loaded.fill else {}),
        **({"features": [each._asdict() for each in loaded.usage]} if loaded.usage else {}),
    }
    doubts = [doubt for each in loaded.usage if (doubt := each.doubt)]
    if not run.file(DATA).exists() or run.read_json(DATA) != content:
        run.write_json(DATA, content)
    return {**{key: content[key] for key in ("name", "digest", "samples")}, **({"doubts": doubts} if doubts else {})}


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
    """Train the student, or import the model that stands in its place."""
    if run.recipe.model is not None:
        return import_student(run, run.recipe.model)
    load_tensorflow()
    from qap.training import train_student
    from qap.training.networks import dense_layers, load_model, save_model, untrained_student

    recipe, data = run.recipe, run.dataset
    teacher = load_model(run.file(TEACHER)) if learns_from_file(recipe) else None
    model, history = train_student(recipe, data, teacher, _told(progress))
    trained = list(recipe.student_to_train.shape)
    if recipe.student_to_train.is_tables:
        units = trained
        save_kernels(run, trained=model)
    else:
        units = [int(layer.kernel.shape[1]) for layer in dense_layers(model)]
        save_kernels(
            run,
            initial=untrained_student(recipe, data.n_in, data.n_classes, scaling=data.network_scaling),
            trained=model,
        )
    history.write_csv(run.file(HISTORY))
    save_model(model, run.file(STUDENT))
    return {
        **_judge(model, data),
        "best_epoch": history.best_epoch,
        "pruned": history.best.sparsity,
        "units_trained": trained,
        "units": units,
    }


def freeze(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    """Turn the student into the exact integer network."""
    data, model = run.dataset, run.recipe.model
    network = import_network(run, model) if model and model.is_network else _frozen(run)
    point = choose(network, data, run.recipe.decide) if run.recipe.decide else None
    network = point.applied(network) if point else network
    save_network(network, run.file(NETWORK))
    return {
        **({"notes": _notes(run, network)} if model and not model.is_network else {}),
        **judged(lambda split: network.forward(split.x), data, network.output_format.lsb),
        **majority(data),
        **({"operating_point": described(point, network, data)} if point else {}),
        "digest": network.digest,
        "parameters": network.parameters,
        "nonzeros": network.nonzeros,
        "sparsity": network.sparsity,
        **({"tables": network.tables} if network.tables else {}),
        "size_bytes": network.size_bytes,
        **({"stored_bytes": sizes} if (sizes := stored_bytes(network)) else {}),
    }


def _frozen(run: RunDirectory) -> IntegerNetwork:
    load_tensorflow()
    from qap.freezing import freeze
    from qap.training.networks import load_model

    model, data = run.recipe.model, run.dataset
    output_bits = model.output_bits if model else None
    return freeze(load_model(run.file(STUDENT)), data.input_format, data.class_names or None, output_bits)


def _notes(run: RunDirectory, network: IntegerNetwork) -> list[str]:
    """What became of a model beside its numbers: scales that were left out or quantized, by name."""
    from qap.freezing import KerasEngine
    from qap.training.networks import load_model

    try:
        return list(KerasEngine(load_model(run.file(STUDENT))).notes(network))
    except NotExact as error:  # Keras itself would round, which a verification says, too
        return [str(error)]


def _told(progress: Progress) -> Tell:
    def tell(record: EpochRecord) -> None:
        progress.advance(f"validation accuracy {record.validation_accuracy:.2%}, sparsity {record.sparsity:.1%}")

    return tell


def _judge(model: Any, data: Dataset) -> dict[str, Any]:
    from qap.training.fit import predict_logits

    return judged(lambda split: predict_logits(model, split.x, data.input_format.lsb), data)
