#!/bin/bash
# Builds the test bench of qap_kept with g++ and runs it: the C simulation without Vivado or Vitis.
# AP_TYPES: the folder of ap_fixed.h (in Vivado HLS and Vitis HLS: include/), if it is not in firmware/ap_types.
set -e
cd "$(dirname "$0")"
program="$(mktemp)"
trap 'rm -f "$program"' EXIT
g++ -O2 -std=c++17 -w -I. -I"${AP_TYPES:-firmware/ap_types}" qap_kept_test.cpp firmware/qap_kept.cpp -o "$program"
"$program"
