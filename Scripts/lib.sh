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
