#!/bin/sh
# A container engine for tests: notes its arguments in $FAKE_ENGINE_LOG and runs the container's command on this machine, with nothing
# of this machine's environment, FAKE_IMAGE naming the image. Images named "broken" cannot be had.
printf '%s\n' "$*" >> "$FAKE_ENGINE_LOG"
verb=$1
shift
case $verb in
  pull) exit 0 ;;
  build) cat >> "$FAKE_ENGINE_LOG"; exit 0 ;;
esac
environment=""
while :; do
  case $1 in
    -v) shift 2 ;;
    -w) cd "$2" || exit 125; shift 2 ;;
    -e) environment="$environment $2"; shift 2 ;;
    -*) shift ;;
    *) break ;;
  esac
done
image=$1
shift
case $image in
  broken*) echo "Unable to find image '$image'" >&2; exit 125 ;;
esac
# shellcheck disable=SC2086 # paths of the tests have no spaces
exec env -i PATH="$PATH" HOME=/nowhere FAKE_IMAGE="$image" $environment "$@"
