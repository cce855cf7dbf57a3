# shellcheck shell=bash
# Sourced by the scripts of this repository; needs bash.

root_dir="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

note() {
  printf '%s\n' "$*" >&2
}

die() {
  note "error: $*"
  exit 1
}

# Prints how many compilers fit: one per core, and per 1.5 GB of free memory,
# which is what the largest of our sources takes.
build_jobs() {
  local cores free_kb by_memory
  cores="$(nproc)"
  free_kb="$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)"
  by_memory=$((free_kb / 1500000))
  if ((by_memory < 1)); then
    by_memory=1
  fi
  echo "$((cores < by_memory ? cores : by_memory))"
}

# Configures a preset unless that was done; ninja itself repeats the step when
# a CMake file or a folder changed. Quiet unless it fails.
configure_preset() {
  local preset="$1" build="$root_dir/build/$1" output
  # A build folder that moved with its tree remembers the wrong place.
  if [[ -f "$build/CMakeCache.txt" ]] \
    && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root_dir" \
      "$build/CMakeCache.txt"; then
    rm -rf "$build"
  fi
  if [[ -f "$build/build.ninja" && "$build/build.ninja" \
    -nt "$root_dir/CMakePresets.json" ]]; then
    return 0
  fi
  if ! output="$(cd "$root_dir" && cmake --preset "$preset" 2>&1)"; then
    note "configuring the $preset build failed:"
    tail -n 40 <<<"$output" >&2
    return 1
  fi
}

# Builds targets of a configured preset: build_targets <preset> <target>...
build_targets() {
  local preset="$1"
  shift
  NINJA_STATUS='[%f/%t, %es] ' cmake --build "$root_dir/build/$preset" \
    --parallel "$(build_jobs)" --target "$@"
}
