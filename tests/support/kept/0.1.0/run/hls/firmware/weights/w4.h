//Numpy array shape [2, 2]
//Min -2.000000000000
//Max 2.000000000000
//Number of zeros 1

#ifndef W4_H_
#define W4_H_

#define W4_VALUES 2, 0, 1, -2
#ifdef __SYNTHESIS__
dense_1_1_weight_t w4[4] = {W4_VALUES};
#else
dense_1_1_weight_t w4[4];
static const double w4_values[4] = {W4_VALUES};
static const bool w4_loaded = []() {
    for (unsigned i = 0; i < 4; i++)
        w4[i] = w4_values[i];
    return true;
}();
#endif


#endif
