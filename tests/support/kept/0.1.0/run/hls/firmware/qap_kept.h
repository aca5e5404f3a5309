#ifndef QAP_KEPT_H_
#define QAP_KEPT_H_

#include "ap_fixed.h"
#include "ap_int.h"
#include "hls_stream.h"

#include "defines.h"


// Prototype of top level function for C-synthesis
void qap_kept(
    input_t x[784],
    result_t layer4_out[2]
);

// hls-fpga-machine-learning insert emulator-defines


#endif
