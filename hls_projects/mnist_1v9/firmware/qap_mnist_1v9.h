#ifndef QAP_MNIST_1V9_H_
#define QAP_MNIST_1V9_H_

#include "ap_fixed.h"
#include "ap_int.h"
#include "hls_stream.h"

#include "defines.h"


// Prototype of top level function for C-synthesis
void qap_mnist_1v9(
    input_t x[784],
    result_t layer4_out[2]
);

// hls-fpga-machine-learning insert emulator-defines


#endif
