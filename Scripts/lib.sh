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
