#!/bin/bash
# Sets everything up and runs the demo: MNIST 1 against 9, from the images to a verified HLS project.
# Arguments are passed on: bash scripts/demo.sh --seed 1
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh
prepare_environment "train,hls,report"
exec qap run mnist-1v9 "$@"
