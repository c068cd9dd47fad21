# Sourced by `test` and `report`: how firmware is built on this machine.
#
# A compiler that has the target's core library prebuilt (`rustup target add thumbv7m-none-eabi`) is used as it
# is. Otherwise Debian's compiler builds the core library from Debian's package of its source, which it
# does when it is told that it may use unstable options. `.ci/install` brings what is missing.

firmware_target=thumbv7m-none-eabi
firmware_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Beside the host's builds, where those go somewhere else.
firmware_out=${CARGO_TARGET_DIR:-$firmware_dir/target}/firmware

# has_core TARGET: whether the compiler has the core library for it.
has_core() {
    local libraries
    libraries=$(cd / && rustc --print target-libdir --target "$1" 2>/dev/null) && [[ -d $libraries ]]
}

# firmware_cargo TARGET COMMAND OPTIONS...: cargo, for a target, in the workspace of the firmware.
firmware_cargo() {
    local target=$1 command=$2
    shift 2
    (
        cd "$firmware_dir"
        if has_core "$target"; then
            CARGO_TARGET_DIR=$firmware_out cargo "$command" --locked --target "$target" "$@"
        else
            PATH=/usr/bin:$PATH RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$firmware_out \
                cargo "$command" --locked -Zbuild-std=core --target "$target" "$@"
        fi
    )
}
