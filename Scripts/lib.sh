# Shared by the scripts of this folder; sourced, not run.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Says something to the person, on standard error.
say() { printf '%s\n' "$*" >&2; }

# Says what is wrong and what to do, then stops.
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# The project's own files: what git tracks or would track, or all but build products without git.
project_files() {
    if git -C "$root" rev-parse --git-dir >/dev/null 2>&1; then
        git -C "$root" ls-files --cached --others --exclude-standard -- "$@" |
            while IFS= read -r file; do [[ ! -f $root/$file ]] || printf '%s\n' "$file"; done
    else
        (cd "$root" && find "${@:-.}" -type f \
            -not -path './.build/*' -not -path './.native/*' -not -path './.venv/*' |
            sed 's|^\./||')
    fi
}

# For checks: prints each finding of standard input, and fails if there was one. $1 says what to do.
report_findings() {
    local findings
    findings=$(cat)
    [[ -n $findings ]] || return 0
    printf '%s\n%s\n' "$findings" "-> $1" >&2
    return 1
}

# Makes the Python environment that holds the peers, .venv/bench, unless it is there, and sets
# `python` to its interpreter. $1 is what needs it.
use_peers() {
    local environment=$root/.venv/bench requirements=$root/Benchmarks/requirements.txt
    python=$environment/bin/python
    cmp -s "$requirements" "$environment/installed.txt" && return
    has python3 || fail "$1 needs python3 with venv; try: sudo apt-get install -y python3-venv"
    say "$1: making .venv/bench (about 1.5 GB; once)"
    rm -rf "$environment"
    python3 -m venv "$environment" ||
        fail "python3 -m venv failed; try: sudo apt-get install -y python3-venv"
    # The ordinary Linux wheel of PyTorch brings gigabytes of CUDA; the CPU's own index does not. A
    # machine may be given the same wheel by pip's own configuration instead.
    local torch pip
    torch=$(grep '^torch==' "$requirements")
    pip=("$python" -m pip --quiet --disable-pip-version-check --no-input install)
    "${pip[@]}" "$torch+cpu" ||
        "${pip[@]}" "$torch+cpu" --index-url https://download.pytorch.org/whl/cpu \
            --extra-index-url https://pypi.org/simple ||
        fail "$torch+cpu could not be had from https://download.pytorch.org/whl/cpu nor by pip's configuration"
    "${pip[@]}" --requirement "$requirements" || fail "pip could not install $requirements"
    cp "$requirements" "$environment/installed.txt"
}

# MARK: System packages

# Runs apt-get as root, by sudo where needed.
apt() {
    local command=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y "$@")
    if [[ $(id -u) == 0 ]]; then
        "${command[@]}" </dev/null >&2
    elif has sudo && [[ -t 0 ]]; then
        sudo "${command[@]}" >&2
    elif has sudo; then
        sudo -n "${command[@]}" </dev/null >&2
    else
        return 1
    fi
}

# Installs packages, refreshing apt's lists only where they lack one.
install_packages() {
    say "setup: installing $*"
    apt install --no-install-recommends "$@" && return
    apt update && apt install --no-install-recommends "$@" && return
    fail "these packages could not be installed: $*
Run this as a user who may, then try again:
    sudo apt-get update && sudo apt-get install -y $*"
}

# MARK: Wheels of PyPI, unpacked into .native

native=$root/.native
downloads=$native/downloads

# Waits until nobody else changes .native, and keeps others from it until the script ends.
lock_native() {
    mkdir -p "$native"
    exec 9>"$native/lock"
    ! has flock || flock 9
}

# Whether file $1 has the SHA-256 $2.
verified() { [[ -f $1 ]] && echo "$2  $1" | sha256sum --check --status; }

# Fetches URL $1 into file $2, or onto standard output for `-`.
fetch() {
    if has curl; then
        curl --fail --silent --show-error --location --retry 3 --connect-timeout 20 \
            --output "$2" "$1"
    else
        wget --quiet --tries 3 --timeout 60 --output-document "$2" "$1"
    fi
}

# Downloads wheel $1 of project $2 with SHA-256 $3 into `downloads` by pip, which knows the
# machine's own index, certificates and proxy. A wheel is named PROJECT-VERSION-...-PLATFORM.whl.
download_by_pip() {
    has python3 && python3 -m pip --version >/dev/null 2>&1 || return 1
    local requirements=$downloads/requirements.$$ version=${1#*-} platform=${1##*-}
    # One of several platforms that a name may list.
    platform=${platform%.whl} platform=${platform##*.}
    echo "$2==${version%%-*} --hash=sha256:$3" >"$requirements"
    local status=0
    python3 -m pip --quiet --disable-pip-version-check --no-input --retries 2 download --no-deps \
        --only-binary :all: --platform "$platform" --require-hashes \
        --requirement "$requirements" --dest "$downloads" </dev/null >&2 || status=$?
    rm -f "$requirements"
    return $status
}

# The same by PyPI's simple index, whose page links each file with its hash.
download_by_index() {
    has curl || has wget || install_packages curl
    local index=${PIP_INDEX_URL:-https://pypi.org/simple} address
    address=$(fetch "${index%/}/$2/" - | grep -o 'href="[^"]*/'"$1"'[^"]*"' | head -n 1) || return 1
    address=${address#href=\"}
    address=${address%%[#\"]*}
    [[ $address == http* ]] || address=$(printf '%s' "$index" | sed 's|\(https\?://[^/]*\).*|\1|')$address
    local part=$downloads/$1.part.$$
    if fetch "$address" "$part" && verified "$part" "$3"; then
        mv "$part" "$downloads/$1"
    else
        rm -f "$part"
        return 1
    fi
}

# Puts wheel $1 of project $2 with SHA-256 $3 into `downloads`. A file that lies there already is
# taken when its hash is right, so a machine without a network can be given it by hand.
obtain() {
    verified "$downloads/$1" "$3" && return
    rm -f "$downloads/$1"
    download_by_pip "$@" || download_by_index "$@" || true
    verified "$downloads/$1" "$3" && return
    rm -f "$downloads/$1"
    say "setup: $1 could not be downloaded from PyPI"
    return 1
}

# Forgets downloaded files, once they are in place.
discard() {
    (cd "$downloads" && rm -f "$@")
    rmdir "$downloads" 2>/dev/null || true
}

# Unpacks zip file $1 into folder $2.
unpack() {
    if has unzip; then
        unzip -q "$1" -d "$2"
    elif has python3; then
        python3 -m zipfile -e "$1" "$2"
    elif has bsdtar; then
        bsdtar -x -f "$1" -C "$2"
    else
        install_packages unzip
        unzip -q "$1" -d "$2"
    fi
}
