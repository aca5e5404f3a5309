//Numpy array shape [2]
//Min -3.375000000000
//Max 3.375000000000
//Number of zeros 0

#ifndef B4_H_
#define B4_H_

#define B4_VALUES -3.375, 3.375
#ifdef __SYNTHESIS__
dense_1_1_bias_t b4[2] = {B4_VALUES};
#else
dense_1_1_bias_t b4[2];
static const double b4_values[2] = {B4_VALUES};
static const bool b4_loaded = []() {
    for (unsigned i = 0; i < 2; i++)
        b4[i] = b4_values[i];
    return true;
}();
#endif


#endif
