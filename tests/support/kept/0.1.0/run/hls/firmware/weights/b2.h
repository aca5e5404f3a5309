//Numpy array shape [2]
//Min 1.000000000000
//Max 1.406250000000
//Number of zeros 0

#ifndef B2_H_
#define B2_H_

#define B2_VALUES 1.40625, 1.00000
#ifdef __SYNTHESIS__
dense_0_0_bias_t b2[2] = {B2_VALUES};
#else
dense_0_0_bias_t b2[2];
static const double b2_values[2] = {B2_VALUES};
static const bool b2_loaded = []() {
    for (unsigned i = 0; i < 2; i++)
        b2[i] = b2_values[i];
    return true;
}();
#endif


#endif
