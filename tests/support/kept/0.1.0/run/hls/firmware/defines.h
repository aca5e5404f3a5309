#ifndef DEFINES_H_
#define DEFINES_H_

#include "ap_fixed.h"
#include "ap_int.h"
#include "nnet_utils/nnet_types.h"
#include <array>
#include <cstddef>
#include <cstdio>
#include <tuple>
#include <tuple>


// hls-fpga-machine-learning insert numbers

// hls-fpga-machine-learning insert layer-precision
typedef ap_ufixed<1,0> input_t;
typedef ap_fixed<9,4> dense_0_0_accum_t;
typedef ap_fixed<9,4> layer2_t;
typedef ap_fixed<3,1> dense_0_0_weight_t;
typedef ap_ufixed<6,1> dense_0_0_bias_t;
typedef ap_uint<1> layer2_index;
typedef ap_ufixed<3,1,AP_RND_CONV,AP_SAT,0> layer3_t;
typedef ap_fixed<18,8> dense_0_0_act_table_t;
typedef ap_fixed<6,3> dense_1_1_accum_t;
typedef ap_fixed<6,3> result_t;
typedef ap_fixed<3,3> dense_1_1_weight_t;
typedef ap_fixed<6,3> dense_1_1_bias_t;
typedef ap_uint<1> layer4_index;

// hls-fpga-machine-learning insert emulator-defines


#endif
