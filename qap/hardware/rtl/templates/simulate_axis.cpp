// Drives the AXI4-Stream top with random stalls on both sides.
// Arguments: input file, output file, seed, stalls in 1/256 (0: never).
// The input holds rows of four 32-bit little-endian words: data low, data high, tlast, 0; the output the same with
// the error flag as the fourth word. Exit 5: the stream got stuck; 6: a beat that was offered changed or went away.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "Vtop.h"
#include "verilated.h"

static const unsigned PATIENCE = 20000;

int main(int argc, char** argv) {
    if (argc == 1) return 0;  // it starts
    if (argc != 5) return 2;
    FILE* in = fopen(argv[1], "rb");
    FILE* out = fopen(argv[2], "wb");
    if (!in || !out) return 3;
    std::mt19937 random(strtoul(argv[3], nullptr, 10));
    const unsigned stalls = strtoul(argv[4], nullptr, 10);
    Vtop top;
    auto clock = [&top] {
        top.aclk = 1;
        top.eval();
        top.aclk = 0;
        top.eval();
    };
    top.aclk = 0;
    top.aresetn = 0;
    top.s_axis_tvalid = 0;
    top.m_axis_tready = 0;
    top.eval();
    for (int i = 0; i < 4; ++i) clock();
    top.aresetn = 1;

    uint32_t row[4] = {0, 0, 0, 0};
    bool more = fread(row, 4, 4, in) == 4, offered = false, held = false;
    uint64_t held_data = 0;
    bool held_last = false;
    unsigned quiet = 0;
    while (more || quiet < PATIENCE) {
        offered = more && (offered || (random() & 255) >= stalls);
        top.s_axis_tvalid = offered;
        if (offered) {
            top.s_axis_tdata = static_cast<uint64_t>(row[0]) | static_cast<uint64_t>(row[1]) << 32;
            top.s_axis_tlast = row[2] & 1;
        }
        top.m_axis_tready = (random() & 255) >= stalls;
        top.eval();
        const bool taken = offered && top.s_axis_tready;
        const bool given = top.m_axis_tvalid && top.m_axis_tready;
        const uint64_t data = top.m_axis_tdata;
        if (held && (!top.m_axis_tvalid || data != held_data || (top.m_axis_tlast != 0) != held_last)) return 6;
        held = top.m_axis_tvalid && !given;
        held_data = data;
        held_last = top.m_axis_tlast != 0;
        if (given) {
            const uint32_t result[4] = {static_cast<uint32_t>(data), static_cast<uint32_t>(data >> 32),
                                        static_cast<uint32_t>(top.m_axis_tlast), static_cast<uint32_t>(top.error)};
            if (fwrite(result, 4, 4, out) != 4) return 4;
        }
        clock();
        if (taken) {
            offered = false;
            more = fread(row, 4, 4, in) == 4;
        }
        quiet = (taken || given) ? 0 : quiet + 1;
        if (more && quiet >= PATIENCE) return 5;
    }
    const uint32_t end[4] = {0, 0, 2, static_cast<uint32_t>(top.error)};
    if (fwrite(end, 4, 4, out) != 4) return 4;
    top.final();
    return fclose(out) == 0 ? 0 : 4;
}
