// Drives the AXI4-Stream top with random stalls on both sides.
// Arguments: input file, output file, seed, stalls in 1/256 (0: never), span (cycles that a stall lasts at most), beats
// that may come out, cycles without a beat after which nothing more is expected, cycles that all of it may take.
// Rows of four 32-bit little-endian words. In: data low, data high, tlast, 0. Out, for every beat that is taken or given:
// data low, data high, flags (1 tlast, 2 error, 4 taken), cycle; a last row has the flag 8.
// Other exits than 0 say on stderr what the stream did wrong.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "Vtop.h"
#include "verilated.h"

// One side's will: phases of going on, of holding back now and then, and of holding back for long.
struct Stalls {
    std::mt19937& random;
    unsigned share, span, left = 0, phase = 0;

    bool operator()() {
        if (share == 0) return false;
        if (left == 0) {
            left = 1 + random() % span;
            phase = random() & 7;
        }
        --left;
        return phase == 0 || (phase < 6 && (random() & 255) < share);
    }
};

static int wrong(int status, const char* what, unsigned cycle) {
    fprintf(stderr, "the stream is wrong in cycle %u: %s\n", cycle, what);
    return status;
}

int main(int argc, char** argv) {
    if (argc == 1) return 0;  // it starts
    if (argc != 9) return 2;
    FILE* in = fopen(argv[1], "rb");
    FILE* out = fopen(argv[2], "wb");
    if (!in || !out) return 3;
    std::mt19937 random(strtoul(argv[3], nullptr, 10));
    const unsigned share = strtoul(argv[4], nullptr, 10), span = strtoul(argv[5], nullptr, 10);
    const unsigned most = strtoul(argv[6], nullptr, 10), patience = strtoul(argv[7], nullptr, 10);
    const unsigned limit = strtoul(argv[8], nullptr, 10);
    if (span == 0) return 2;
    Stalls sender{random, share, span}, receiver{random, share, span};
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
    bool more = fread(row, 4, 4, in) == 4, offered = false, held = false, held_last = false;
    uint64_t held_data = 0;
    unsigned given = 0, quiet = 0;
    auto tell = [&](uint64_t data, uint32_t flags, uint32_t cycle) {
        const uint32_t event[4] = {static_cast<uint32_t>(data), static_cast<uint32_t>(data >> 32), flags, cycle};
        return fwrite(event, 4, 4, out) == 4;
    };
    for (unsigned cycle = 0; more || quiet < patience; ++cycle) {
        if (cycle == limit) return wrong(5, "it takes too long", cycle);
        offered = more && (offered || !sender());
        const uint64_t sent = static_cast<uint64_t>(row[0]) | static_cast<uint64_t>(row[1]) << 32;
        top.s_axis_tvalid = offered;
        if (offered) {
            top.s_axis_tdata = sent;
            top.s_axis_tlast = row[2] & 1;
        }
        top.m_axis_tready = !receiver();
        top.eval();
        const bool taken = offered && top.s_axis_tready, valid = top.m_axis_tvalid, last = top.m_axis_tlast;
        const uint64_t data = top.m_axis_tdata;
        if (held && (!valid || data != held_data || last != held_last))
            return wrong(6, "a beat that was offered and not taken changed or went away", cycle);
        held = valid && !top.m_axis_tready;
        held_data = data;
        held_last = last;
        const uint32_t error = top.error ? 2 : 0;
        if (valid && !held) {
            if (given++ == most) return wrong(7, "it gives more beats than there are results", cycle);
            if (!tell(data, error | (last ? 1 : 0), cycle)) return 4;
        }
        if (taken && !tell(sent, error | 4, cycle)) return 4;
        quiet = (taken || (valid && !held)) ? 0 : quiet + 1;
        clock();
        if (taken) {
            offered = false;
            more = fread(row, 4, 4, in) == 4;
        }
        if (more && quiet >= patience) return wrong(5, "it is stuck", cycle);
    }
    if (!tell(0, 8 | (top.error ? 2 : 0), 0)) return 4;
    top.final();
    return fclose(out) == 0 ? 0 : 4;
}
