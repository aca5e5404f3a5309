"""Random models with floats between their layers: frozen as their plain call computes them, or refused in one line."""

from __future__ import annotations

import numpy as np
import pytest
from support.needs import needs

needs("keras", "qkeras")

from support.float_models import KINDS, answers_as, float_model
from support.random_networks import random_inputs

from qap.errors import NotExact
from qap.freezing import KerasEngine, freeze
from qap.verification import EmulatorEngine, adversarial_vectors, verify


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_is_frozen_as_it_is_or_refused(kind: str) -> None:
    seed = list(KINDS).index(kind)
    model, form = float_model(kind, seed)
    if not KINDS[kind].exact:
        with pytest.raises(NotExact, match="let output_bits quantize the scale and offset at the end"):
            freeze(model, form)
        return
    network = freeze(model, form)
    x = np.concatenate([adversarial_vectors(form, network.n_in), random_inputs(network, 500)])
    assert answers_as(kind, model, network, x)
    assert verify([KerasEngine(model), EmulatorEngine()], network, {"random": x}).exact
