#!/bin/sh
# Runs test.dig with the parameters for tests. TROWEL names another command than npx trowel.
set -eu
cd "$(dirname "$0")"
exec ${TROWEL:-npx trowel} run test.dig -P config/params.test.yml --rerun "$@"
