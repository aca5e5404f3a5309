"""Projects that hls4ml writes, right and wrong in known ways: compiled, run and named."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.hls4ml_projects import small_network, write_project
from support.needs import needs
from support.wrong_projects import WRONG, Wrong, prepare

from qap.explore.diagnosis import UserModel, diagnose, read_samples, read_source
from qap.explore.diagnosis.results import Diagnosis, Gap

needs("hls4ml", "g++")
pytestmark = pytest.mark.slow


def found_in(folder: Path, wrong: Wrong) -> Diagnosis:
    model, project, data = prepare(folder, wrong)
    return diagnose(UserModel(model), read_source(project), read_samples(data, None, 256), str(project))


@pytest.mark.parametrize("name", ["accumulator", "text"])
def test_the_true_cause_is_named_first_and_the_smallest_types_mend_it(tmp_path: Path, name: str) -> None:
    found = found_in(tmp_path, WRONG[name])
    assert not found.equal
    assert (found.causes[0].kind, found.causes[0].place) == (WRONG[name].cause, WRONG[name].place)
    assert found.causes[0].effective
    assert found.proven == Gap(0, 0)
    assert found.configuration is not None


def test_an_exact_project_has_no_cause_whatever_namespace_it_stands_in(tmp_path: Path) -> None:
    found = found_in(tmp_path, Wrong("", "", lambda network, folder: write_project(network, folder, namespace="mine")))
    assert found.equal
    assert found.causes == ()
    assert found.first is None
    assert found.accuracy_model == found.accuracy_hardware == 1.0
    accumulators = [each.use for each in found.types if each.use.site.role == "accumulator"]
    assert [use.text for use in accumulators] == [str(layer.accum_format) for layer in small_network().layers]
