// Drives the core: a sample every cycle, results after the latency.
// Arguments: input file, output file, words of a sample, words of the logits, latency in cycles.
// Files hold rows of 32-bit little-endian words; a row of the output is the logits, then the class index.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

static const size_t MOST_LATENCY = 1 << 16;

template <typename T>
static void put(T& port, const uint32_t* words) {
    if constexpr (sizeof(T) <= 4)
        port = static_cast<T>(words[0]);
    else if constexpr (sizeof(T) == 8)
        port = static_cast<T>(words[0] | static_cast<uint64_t>(words[1]) << 32);
    else
        for (size_t i = 0; i < sizeof(T) / 4; ++i) port[i] = words[i];
}

template <typename T>
static void get(const T& port, uint32_t* words) {
    if constexpr (sizeof(T) <= 4)
        words[0] = port;
    else if constexpr (sizeof(T) == 8) {
        words[0] = static_cast<uint32_t>(port);
        words[1] = static_cast<uint32_t>(port >> 32);
    } else
        for (size_t i = 0; i < sizeof(T) / 4; ++i) words[i] = port[i];
}

int main(int argc, char** argv) {
    if (argc == 1) return 0;  // it starts
    if (argc != 6) return 2;
    const size_t in_words = strtoul(argv[3], nullptr, 10), out_words = strtoul(argv[4], nullptr, 10);
    const size_t latency = strtoul(argv[5], nullptr, 10);
    if (latency == 0 || latency > MOST_LATENCY) return 2;
    FILE* in = fopen(argv[1], "rb");
    FILE* out = fopen(argv[2], "wb");
    if (!in || !out) return 3;
    Vtop top;
    top.ce = 1;
    std::vector<uint32_t> row(in_words), result(out_words + 1);
    size_t sent = 0, received = 0;
    bool more = true;
    for (size_t cycle = 0; more || received < sent; ++cycle) {
        more = more && fread(row.data(), 4, in_words, in) == in_words;
        if (more) ++sent;
        put(top.x, row.data());
        top.clk = 0;
        top.eval();
        top.clk = 1;
        top.eval();
        if (cycle + 1 < latency || received == sent) continue;
        get(top.y, result.data());
        result[out_words] = top.class_index;
        if (fwrite(result.data(), 4, result.size(), out) != result.size()) return 4;
        ++received;
    }
    top.final();
    return fclose(out) == 0 ? 0 : 4;
}
