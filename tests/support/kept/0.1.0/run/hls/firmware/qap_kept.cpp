#include <iostream>

#include "qap_kept.h"
#include "parameters.h"


void qap_kept(
    input_t x[784],
    result_t layer4_out[2]
) {

    // hls-fpga-machine-learning insert IO
    #pragma HLS ARRAY_RESHAPE variable=x complete dim=0
    #pragma HLS ARRAY_PARTITION variable=layer4_out complete dim=0
    #pragma HLS INTERFACE ap_vld port=x,layer4_out 
    #pragma HLS PIPELINE

    // hls-fpga-machine-learning insert load weights

    // ****************************************
    // NETWORK INSTANTIATION
    // ****************************************

    // hls-fpga-machine-learning insert layers

    layer2_t layer2_out[2];
    #pragma HLS ARRAY_PARTITION variable=layer2_out complete dim=0

    layer3_t layer3_out[2];
    #pragma HLS ARRAY_PARTITION variable=layer3_out complete dim=0

    nnet::dense<input_t, layer2_t, config2>(x, layer2_out, w2, b2); // dense_0_0

    nnet::relu<layer2_t, layer3_t, relu_config3>(layer2_out, layer3_out); // dense_0_0_act
#ifndef __SYNTHESIS__
    nnet::save_layer_output<layer3_t>(layer3_out, "dense_0_0_act", 2);
#endif

    nnet::dense<layer3_t, result_t, config4>(layer3_out, layer4_out, w4, b4); // dense_1_1
#ifndef __SYNTHESIS__
    nnet::save_layer_output<result_t>(layer4_out, "dense_1_1", 2);
#endif

}

