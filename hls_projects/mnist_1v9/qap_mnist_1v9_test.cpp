// Test bench of qap_mnist_1v9, for C simulation and co-simulation.
// Inputs and golden outputs are integers in LSBs; it fails when one bit of one output differs.
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "firmware/qap_mnist_1v9.h"
#include "firmware/nnet_utils/nnet_helpers.h"

namespace nnet {
bool trace_enabled = false;
std::map<std::string, void *> *trace_outputs = NULL;
size_t trace_type_size = sizeof(double);
} // namespace nnet

int main() {
    std::ifstream inputs("tb_data/inputs.dat");
    std::ifstream golden("tb_data/golden.dat");
    if (!inputs || !golden) {
        std::cout << "ERROR: tb_data/inputs.dat or tb_data/golden.dat cannot be opened" << std::endl;
        return 1;
    }
#ifdef RTL_SIM
    std::ofstream log("tb_data/rtl_cosim_results.log");
#else
    std::ofstream log("tb_data/csim_results.log");
#endif

    unsigned samples = 0, mismatches = 0;
    std::string input_line, golden_line;
    while (std::getline(inputs, input_line) && std::getline(golden, golden_line)) {
        std::istringstream values(input_line), expected(golden_line);
        input_t x[784];
        result_t y[2];
        for (int i = 0; i < 784; i++) {
            long long value = 0;
            if (!(values >> value)) {
                std::cout << "ERROR: tb_data/inputs.dat is short at sample " << samples << std::endl;
                return 1;
            }
            x[i] = std::ldexp((double)value, -1);
        }
        qap_mnist_1v9(x, y);
        for (int i = 0; i < 2; i++) {
            long long want = 0;
            if (!(expected >> want)) {
                std::cout << "ERROR: tb_data/golden.dat is short at sample " << samples << std::endl;
                return 1;
            }
            long long got = std::llround(std::ldexp(y[i].to_double(), 3));
            log << got << (i + 1 < 2 ? " " : "\n");
            if (got != want) {
                mismatches++;
                std::cout << "ERROR: sample " << samples << " output " << i << " is " << got << ", golden is " << want
                          << std::endl;
            }
        }
        samples++;
    }
    if (samples != 100) {
        std::cout << "ERROR: tb_data holds " << samples << " samples, but 100 were written" << std::endl;
        return 1;
    }
    std::cout << "INFO: " << samples << " samples, " << mismatches << " mismatches" << std::endl;
    return mismatches != 0;
}
