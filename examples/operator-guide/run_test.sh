#!/bin/sh
# Runs the whole workflow here, against the test database. TROWEL names another command than npx trowel.
set -eu
cd "$(dirname "$0")"
exec ${TROWEL:-npx trowel} run test.dig --rerun "$@"
