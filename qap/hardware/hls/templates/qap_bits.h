#ifndef NNET_QAP_BITS_H_
#define NNET_QAP_BITS_H_

#include "nnet_common.h"

namespace nnet {

struct qap_bits_config {
    static const unsigned n_in = 10;
    static const unsigned n_out = 10;
};

// One bit of a constant of 64: the answer of a truth table at the address of six bits, one LUT.
inline bool qap_table(unsigned long long table, bool p0, bool p1, bool p2, bool p3, bool p4, bool p5) {
    #pragma HLS INLINE
    unsigned address = p0 | p1 << 1 | p2 << 2 | p3 << 3 | p4 << 4 | p5 << 5;
    return (table >> address) & 1;
}

// Truth tables: parameters.h names the wires and the table of each neuron.
template <class data_T, class res_T, typename CONFIG_T>
void qap_tables(data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_out]) {
    #pragma HLS PIPELINE
    bool bits[CONFIG_T::n_in];
    #pragma HLS ARRAY_PARTITION variable=bits complete
Inputs:
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        #pragma HLS UNROLL
        bits[i] = data[i] != 0;
    }
    CONFIG_T::run(bits, res);
}

// Thresholds: parameters.h names the input and the limit of each bit.
template <class data_T, class res_T, typename CONFIG_T>
void qap_thresholds(data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_out]) {
    #pragma HLS PIPELINE
    CONFIG_T::run(data, res);
}

} // namespace nnet

#endif
