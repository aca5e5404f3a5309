"""The text of a small hls4ml project, as hls4ml 0.6, 0.7 and 1.2 write it; nothing of it is compiled."""

from __future__ import annotations

from collections.abc import Mapping
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
MACROS = {"x[2]": "x[N_INPUT_1_1]", "[3]": "[N_LAYER_2]", '", 3)': '", N_LAYER_2)'}
"""Sizes of the C++ of hls4ml 1.2 -> those of versions below it."""
OLD_HEAD = """\
    unsigned short &const_size_in_1,
    unsigned short &const_size_out_1
) {
    const_size_in_1 = N_INPUT_1_1;
    const_size_out_1 = N_LAYER_2;
"""
OLD_PARAMETERS = {
    "n_in = 2": "n_in = N_INPUT_1_1",
    "n_out = 3": "n_out = N_LAYER_2",
    "n_in = 3": "n_in = N_LAYER_2",
    "typedef model_default_t accum_t": "typedef ap_fixed<16,6> accum_t",
    "typedef sm_exp_table_t exp_table_t": "typedef ap_fixed<18,8,AP_RND,AP_SAT> exp_table_t",
    "class y_T>": "class y_T, class res_T>",
    "<x_T, y_T>": "<x_T, y_T, res_T>",
    "// fc1\n": "",
    "// sm\n": "",
}
"""What structs of hls4ml 1.2 say -> what those of 0.6 say."""
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


def write_small_firmware(folder: Path, *, version: str = "1.2", namespace: str = "") -> Path:
    """Write the project.

    Args:
        folder: of the project.
        version: of hls4ml whose layout it has: `0.6` (macros in structs, types without names of their own, products
            of three types, sizes as parameters), `0.7` (macros in the C++ alone) or `1.2` (numbers).
        namespace: that it stands in, as hls4ml from 1.0 can write it.
    """
    weights = folder / "firmware" / "weights"
    weights.mkdir(parents=True)
    cpp, defines, parameters = NEW_CPP, DEFINES, PARAMETERS
    if version < "1.2":
        cpp = _replaced(cpp, MACROS)
        defines = defines.replace("\n\ntypedef", "\n#define N_LAYER_2 3\n\ntypedef", 1)
    if version == "0.6":
        cpp = cpp.replace("\n) {\n", f",\n{OLD_HEAD}", 1)
        parameters = _replaced(parameters, OLD_PARAMETERS)
    files = {"myproject.cpp": cpp, "myproject.h": "// the prototype\n"}
    files |= {"defines.h": defines, "parameters.h": parameters}
    for name, kind, values in (("w2", "fc1_weight_t", "1, 0, -1, 1, 1, 0"), ("b2", "model_default_t", "0.5, 0, -0.5")):
        size, guard = values.count(",") + 1, f"{name.upper()}_H_"
        array = f"{kind} {name}[{size}]"
        header = f"#ifndef __SYNTHESIS__\n{array};\n#else\n{array} = {{{values}}};\n#endif\n"
        files[f"weights/{name}.h"] = f"#ifndef {guard}\n#define {guard}\n\n{header}\n#endif\n"
        (weights / f"{name}.txt").write_text(values)
    for name, text in files.items():
        (weights.parent / name).write_text(_in_namespace(text, namespace) if namespace else text)
    return folder


def _replaced(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def _in_namespace(text: str, namespace: str) -> str:
    """The text with all of it behind the includes and the guard in a namespace."""
    lines = text.splitlines()
    head = [index for index, line in enumerate(lines) if line.startswith(("#include", "#define"))]
    start = head[-1] + 1 if head else 0
    end = len(lines) - 1 if lines[0].startswith("#ifndef") else len(lines)
    parts = lines[:start], ["", f"namespace {namespace} {{"], lines[start:end], ["}", ""], lines[end:]
    return "\n".join(line for part in parts for line in part) + "\n"
