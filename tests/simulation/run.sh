#!/bin/sh
# Runs seeds of the simulation: tests/simulation/run.sh --seeds 0..100000 --scale tiny --jobs 2
# One seed, with everything that happens: tests/simulation/run.sh --seed 42 --trace
set -eu
cd "$(dirname "$0")/../.."
exec cargo run --quiet --package dittofs-simulation --bin simulate -- "$@"
