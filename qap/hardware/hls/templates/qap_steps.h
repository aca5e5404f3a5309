#ifndef NNET_QAP_STEPS_H_
#define NNET_QAP_STEPS_H_

#include "nnet_common.h"

namespace nnet {

struct qap_steps_config {
    static const unsigned n_in = 10;
    static const unsigned n_steps = 1;
    static const unsigned stride = 0;
};

// A staircase: the value of the last threshold that the input reaches. Thresholds never fall, so the comparisons
// are independent and the last one that holds decides. Neurons share them (stride 0), or each has its own row.
template <class data_T, class res_T, typename CONFIG_T>
void qap_steps(data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_in],
               typename CONFIG_T::threshold_t
                   thresholds[CONFIG_T::stride ? CONFIG_T::n_in * CONFIG_T::stride : CONFIG_T::n_steps],
               typename CONFIG_T::value_t values[CONFIG_T::n_steps + 1]) {
    #pragma HLS PIPELINE
    #pragma HLS ARRAY_PARTITION variable=thresholds complete
    #pragma HLS ARRAY_PARTITION variable=values complete

Neurons:
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        #pragma HLS UNROLL
        typename CONFIG_T::value_t y = values[0];
    Steps:
        for (unsigned k = 0; k < CONFIG_T::n_steps; k++) {
            #pragma HLS UNROLL
            if (data[i] >= thresholds[i * CONFIG_T::stride + k])
                y = values[k + 1];
        }
        res[i] = y;
    }
}

} // namespace nnet

#endif
