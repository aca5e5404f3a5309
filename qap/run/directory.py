"""The run directory: what one run leaves on disk, written atomically, resumable by stage."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from qap import __version__
from qap.data import Dataset, Distortion, Fold, load, weighted
from qap.descriptions import Model, read_description
from qap.errors import DataError, QapError, RecipeError
from qap.files import cannot_write, locked, remove_leftovers, write_text
from qap.products import checksum, written_files
from qap.recipe import DataRecipe, Recipe, parse_recipe
from qap.recipe.reading import NOT_TOML
from qap.run.descriptions import Content, DataSet, Stages

RECIPE, STAGE_RECORDS, DATA = "recipe.toml", "stages.json", "data.json"
TEACHER, STUDENT, WEIGHTS = "teacher.keras", "student.keras", "weights.npz"
ONNX_MODEL = "model.onnx"
TEACHER_HISTORY, HISTORY = "teacher_history.csv", "history.csv"
NETWORK, HLS, RTL, SYNTH = "network.npz", "hls", "rtl", "synth"
CORE_NETLIST, TOP_NETLIST = f"{SYNTH}/{{target}}-core", f"{SYNTH}/{{target}}-top"
RESOURCES, VERIFY, METRICS, REPORT = "resources.json", "verify.json", "metrics.json", "report.html"
SENSITIVITY, SENSITIVITY_FIGURE = "sensitivity.csv", "sensitivity.svg"


@dataclass(frozen=True, slots=True)
class StageRecord:
    """A finished stage.

    Args:
        digest: of everything that the stage read.
        seconds: wall time.
        result: what it found, as JSON-like content.
        products: the files of the run that it wrote, with their SHA-256; None in a run of 0.2.0 or before.
    """

    digest: str
    seconds: float
    result: Mapping[str, Any]
    products: Mapping[str, str] | None = None


def load_for(recipe: Recipe, data_dir: Path | None = None, fold: Fold | None = None) -> Dataset:
    """Load the data of a recipe: its data set, on its grid, split by its seed.

    Args:
        recipe: its `data` and `seed` are read.
        data_dir: folder of IDX files, if the data set needs one.
        fold: of a cross-validation, whose held-out samples then stand in the place of the test part.

    Raises:
        DataError: they cannot be loaded.
    """
    return load_data(recipe.data, recipe.seed, data_dir, fold)


def load_data(wanted: DataRecipe, seed: int, data_dir: Path | None = None, fold: Fold | None = None) -> Dataset:
    """Load what a [data] section asks for; arguments and errors as of `load_for`."""
    distortion = Distortion(**wanted.augment.model_dump(), seed=seed) if wanted.augment else None
    data = load(
        wanted.name,
        input_format=wanted.input_format,
        validation=wanted.validation,
        seed=seed,
        data_dir=data_dir,
        distortion=distortion,
        fold=fold,
        scaling=wanted.scaling,
    )
    return weighted(data, wanted.class_weights)


def _refuse_scaling(loaded: Dataset) -> None:
    """Refuse data that a network should scale which is not trained here."""
    if loaded.network_scaling is not None:
        raise RecipeError(
            "data.scaling would be computed in the network, but a model from elsewhere has its own layers; "
            f'data.scaling = "none" gives it the codes of {loaded.input_format} as they are'
        )


class RunDirectory:
    """A folder with a recipe and what its stages wrote.

    Args:
        path: the folder.
        recipe: what is run in it.
        data_dir: folder of IDX files, if the data set needs one.
    """

    def __init__(self, path: Path, recipe: Recipe, data_dir: Path | None = None) -> None:
        self.path = path
        self.recipe = recipe
        self.data_dir = data_dir

    @classmethod
    def create(
        cls, path: str | Path, recipe: Recipe, data_dir: Path | None = None, *, force: bool = False
    ) -> RunDirectory:
        """Make the folder, or take over one that is already a run; its finished stages are kept as far as they hold.

        The recipe of a run is replaced by another one only if its data can be loaded.

        Args:
            path: the folder.
            recipe: what is run in it; relative paths of its data belong to the current folder.
            data_dir: folder of IDX files, if the data set needs one.
            force: whether a recipe of another name may take the run over.

        Raises:
            DataError: it cannot be written, is a folder of something else or a run of another recipe, or the data of
                another recipe cannot be loaded.
            RecipeError: the student of another recipe does not fit to its data.
        """
        run = cls(Path(path), recipe.in_folder(Path()), data_dir)
        recipe_file, text = run.file(RECIPE), run.recipe.to_toml()
        try:
            run.path.mkdir(parents=True, exist_ok=True)
            is_run = recipe_file.exists()
            is_foreign = not is_run and any(not item.name.startswith(".") for item in run.path.iterdir())
            unchanged = is_run and recipe_file.read_bytes() == text.encode()
        except FileExistsError:
            raise DataError(f"{path} is a file; --out needs a folder") from None
        except (OSError, ValueError) as error:
            raise cannot_write(run.path, error) from error
        if is_foreign:
            raise DataError(f"{path} holds files but no {RECIPE}; --out needs a new, an empty or a run's folder")
        if not unchanged:
            former = run._former_recipe()
            if former and former.name != recipe.name and not force:
                raise DataError(
                    f"{path} holds a run of {former.name!r}; {recipe.name!r} takes its folder with --force, or choose "
                    "another --out"
                )
            with run.lock():  # a run that is at work keeps its recipe
                if former:
                    run.dataset  # noqa: B018 (a recipe that cannot be run must not replace one that was)
                write_text(recipe_file, text)
        return run

    def _former_recipe(self) -> Recipe | None:
        """The recipe in the folder, None when there is none or it is damaged."""
        try:
            return RunDirectory.open(self.path).recipe
        except QapError:
            return None

    @classmethod
    def open(cls, path: str | Path, data_dir: Path | None = None) -> RunDirectory:
        """Open the folder of an earlier run; the data folder that it was made with is remembered.

        Raises:
            DataError: it is not a run directory.
            RecipeError: its recipe is damaged.
        """
        path = Path(path)
        try:
            content = tomllib.loads((path / RECIPE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError(f"{path} is not a run directory: it has no {RECIPE}") from None
        except OSError as error:
            raise DataError(f"cannot read {path / RECIPE}: {error.strerror or error}") from error
        except NOT_TOML as error:
            raise DataError(f"{path / RECIPE} is damaged: {error}") from error
        run = cls(path, parse_recipe(content, str(path / RECIPE)), data_dir)
        if data_dir is None and run.file(DATA).exists():
            remembered = run.data_set.data_dir
            run.data_dir = Path(remembered) if remembered else None
        return run

    def file(self, name: str) -> Path:
        """The path of one of the run's files."""
        return self.path / name

    def read_json(self, name: str) -> dict[str, Any]:
        """The content of one of the run's JSON files.

        Raises:
            DataError: it is missing or damaged.
        """
        return self._read(name, Content).root

    def _read(self, name: str, model: type[Model]) -> Model:
        return read_description(
            self.file(name),
            model,
            missing=f"{self.path} has no {name} yet",
            remedy="; delete it, and the same command makes it again",
        )

    @property
    def data_set(self) -> DataSet:
        """What `data.json` says of the data that the run was made with.

        Raises:
            DataError: it is missing or damaged.
        """
        return self._read(DATA, DataSet)

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file whole or not at all."""
        write_text(self.file(name), json.dumps(content, indent=2) + "\n")

    @cached_property
    def dataset(self) -> Dataset:
        """The data of the recipe.

        Raises:
            DataError: it cannot be loaded.
            RecipeError: the student has not one output for each class.
        """
        loaded = load_for(self.recipe, self.data_dir)
        if self.recipe.student is None:
            _refuse_scaling(loaded)
            return loaded
        if not loaded.has_labels:
            raise RecipeError(f"data.name={loaded.name!r} has no labels to train a student with")
        # building the models says so too, but only after the teacher's training
        self.recipe.student.refuse(loaded.n_in, loaded.n_classes, loaded.input_format)
        if self.recipe.teacher is not None:
            self.recipe.teacher.refuse(loaded.name, loaded.image_shape)
        return loaded

    def stage(self, name: str) -> StageRecord | None:
        """What is known of a finished stage.

        Raises:
            DataError: `stages.json` is damaged.
        """
        record = self._stages().get(name)
        if not record:
            return None
        return StageRecord(record["digest"], record["seconds"], record["result"], record.get("products"))

    def _stages(self) -> dict[str, Any]:
        if not self.file(STAGE_RECORDS).exists():
            return {}
        self._read(STAGE_RECORDS, Stages)
        return self.read_json(STAGE_RECORDS)  # as it is, whatever a later version has added

    def finish(self, name: str, record: StageRecord) -> None:
        """Remember that a stage is finished."""
        entry = {key: value for key, value in asdict(record).items() if value is not None}
        self.write_json(STAGE_RECORDS, {**self._stages(), name: entry})

    def forget(self, name: str) -> None:
        """Take a stage for unfinished: whatever it has written may be overwritten in part from now on."""
        stages = self._stages()
        if stages.pop(name, None):
            self.write_json(STAGE_RECORDS, stages)

    def products(self, names: Iterable[str]) -> dict[str, str]:
        """Path -> SHA-256 of the files that qap wrote, among files and folders of the run."""
        found = [name for each in names for name in self._written(each)]
        return {name: checksum(self.file(name)) for name in found if self.file(name).is_file()}

    def rewrote(self, name: str) -> None:
        """Tell the finished stage that wrote a file of the run that it rightly has another content now."""
        for stage in self._stages():
            record = self.stage(stage)
            if record and name in (record.products or {}):
                self.finish(stage, replace(record, products={**(record.products or {}), **self.products([name])}))

    def _written(self, name: str) -> list[str]:
        """The files that qap wrote of a file or a folder of the run."""
        folder = self.file(name)
        return [f"{name}/{file}" for file in written_files(folder)] if folder.is_dir() else [name]

    def digest(self, names: tuple[str, ...], settings: Any) -> str:
        """SHA-256 of files and folders of the run, of settings, and of the version of qap.

        What others wrote into a folder does not count.

        Raises:
            DataError: a file is missing or cannot be read.
        """
        digest = hashlib.sha256(json.dumps([__version__, settings], sort_keys=True).encode())
        for name in names:
            if not self.file(name).exists():
                raise DataError(f"{self.path} has no {name} yet")
            for file in self._written(name):
                path = self.file(file)
                digest.update(os.fsencode(file) + b"\0" + (path.read_bytes() if path.exists() else b"missing"))
        return digest.hexdigest()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep a second process out of the folder, and remove what a killed one left half written.

        Raises:
            QapError: another process works in it.
            DataError: the folder cannot be written.
        """
        with locked(self.path):
            for folder in (self.path, self.file(SYNTH)):
                remove_leftovers(folder)
            yield
