"""The text of a small hls4ml project, as two versions of hls4ml write it; nothing of it is compiled."""

from __future__ import annotations

from pathlib import Path

NEW_CPP = """\
#include "myproject.h"
#include "parameters.h"

void myproject(
    input_t x[2],
    result_t layer4_out[3]
) {
    // hls-fpga-machine-learning insert load weights
#ifndef __SYNTHESIS__
    static bool loaded_weights = false;
    if (!loaded_weights) {
        nnet::load_weights_from_txt<fc1_weight_t, 6>(w2, "w2.txt");
        nnet::load_weights_from_txt<model_default_t, 3>(b2, "b2.txt");
        loaded_weights = true;    }
#endif
    layer2_t layer2_out[3];
    nnet::dense<input_t, layer2_t, config2>(x, layer2_out, w2, b2); // fc1
#ifndef __SYNTHESIS__
    nnet::save_layer_output<layer2_t>(layer2_out, "fc1", 3);
#endif
    nnet::softmax<layer2_t, result_t, softmax_config4>(layer2_out, layer4_out); // sm
}
"""
OLD_CPP = (
    NEW_CPP.replace("x[2]", "x[N_INPUT_1_1]")
    .replace("layer4_out[3]\n", "layer4_out[N_LAYER_2],\n    unsigned short &const_size_in_1\n")
    .replace("layer2_out[3];", "layer2_out[N_LAYER_2];")
)
DEFINES = """\
#ifndef DEFINES_H_
#define DEFINES_H_

#include "ap_fixed.h"
#define N_INPUT_1_1 2
#define N_LAYER_2 3

typedef ap_ufixed<8,0> input_t;
typedef ap_fixed<16,6> model_default_t;
typedef ap_fixed<6,2,AP_RND_CONV,AP_SAT,0> layer2_t;
typedef ap_fixed<2,2> fc1_weight_t;
typedef ap_fixed<16,6> result_t;
typedef ap_fixed<18,8,AP_RND,AP_SAT> sm_exp_table_t;

#endif
"""
PARAMETERS = """\
#ifndef PARAMETERS_H_
#define PARAMETERS_H_

#include "nnet_utils/nnet_dense.h"
#include "weights/w2.h"
#include "weights/b2.h"

// fc1
struct config2 : nnet::dense_config {
    static const unsigned n_in = 2;
    static const unsigned n_out = 3;
    static const unsigned strategy = nnet::latency;
    static const unsigned reuse_factor = 1;
    typedef model_default_t accum_t;
    typedef model_default_t bias_t;
    typedef fc1_weight_t weight_t;
    template<class x_T, class y_T>
    using product = nnet::product::weight_ternary<x_T, y_T>;
};

// sm
struct softmax_config4 : nnet::activ_config {
    static const unsigned n_in = 3;
    static const nnet::softmax_implementation implementation = nnet::softmax_implementation::latency;
    typedef sm_exp_table_t exp_table_t;
};

#endif
"""


def write_small_firmware(folder: Path, *, old: bool = False) -> Path:
    """Write the project.

    Args:
        folder: of the project.
        old: as hls4ml below 0.7 writes it: sizes as macros, and as a parameter.
    """
    weights = folder / "firmware" / "weights"
    weights.mkdir(parents=True)
    firmware = weights.parent
    (firmware / "myproject.cpp").write_text(OLD_CPP if old else NEW_CPP)
    (firmware / "myproject.h").write_text("// the prototype\n")
    (firmware / "defines.h").write_text(DEFINES)
    (firmware / "parameters.h").write_text(PARAMETERS)
    for name, kind, values in (("w2", "fc1_weight_t", "1, 0, -1, 1, 1, 0"), ("b2", "model_default_t", "0.5, 0, -0.5")):
        size = values.count(",") + 1
        header = (
            f"#ifndef __SYNTHESIS__\n{kind} {name}[{size}];\n#else\n{kind} {name}[{size}] = {{{values}}};\n#endif\n"
        )
        (weights / f"{name}.h").write_text(
            f"#ifndef {name.upper()}_H_\n#define {name.upper()}_H_\n\n{header}\n#endif\n"
        )
        (weights / f"{name}.txt").write_text(values)
    return folder
