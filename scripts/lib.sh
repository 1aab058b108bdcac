# SPDX-License-Identifier: AGPL-3.0-or-later
# What the scripts share. Sourced from the top folder of the checkout.
# shellcheck shell=bash

say() { printf '\033[1m── %s\033[0m\n' "$*"; }

# stop WHAT ADVICE: says what happened and what to do, and ends the script.
stop() {
    printf '\n%s\n%s\n' "$1" "${2:-}" >&2
    exit 1
}

# as_root COMMAND…: runs it where we may, without asking; fails where we may not.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

# install PACKAGE…: Debian packages, or a sentence that says what to type.
install() {
    say "Installing $* from Debian"
    if ! command -v apt-get >/dev/null; then
        stop "This machine has no apt-get, so $* cannot be installed here." "Install it by your system's own means and run this again."
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null ||
        stop "Debian packages are missing and we are neither root nor may we use sudo." "Run: apt-get update && apt-get install -y $*   (as root), then this again."
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null ||
        stop "apt-get could not install $*." "Read what it said above; then run: apt-get install -y $*   (as root), and this again."
}

need_python() {
    command -v "$1" >/dev/null ||
        stop "There is no $1 here." "Run: apt-get install -y python3 python3-venv   (as root), then this again."
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        stop "Python 3.11 or newer is needed; $1 is $("$1" --version 2>&1)." "Install a newer one and run: make PYTHON=python3.12 setup"
}

# make_venv PYTHON FOLDER: Debian keeps ensurepip in a package of its own, python3-venv.
make_venv() {
    if ! "$1" -c 'import ensurepip, venv' 2>/dev/null; then
        local version
        version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        install "python${version}-venv"
    fi
    "$1" -m venv "$2"
}

# same_version NAME: the version in .venv is the one in requirements/bootstrap.txt.
same_version() {
    .venv/bin/python - "$1" <<'PY'
import re, sys
from importlib.metadata import PackageNotFoundError, version
name = sys.argv[1]
locked = re.search(rf"^{name}==(\S+)", open("requirements/bootstrap.txt").read(), re.M)
try:
    sys.exit(locked is None or version(name) != locked[1])
except PackageNotFoundError:
    sys.exit(1)
PY
}

# uv_sync ENVIRONMENT LOCK…: makes the environment what the lock files say. uv is told of pip's mirror.
uv_sync() {
    local environment=$1
    shift
    if [ -n "${PIP_INDEX_URL:-}" ] && [ -z "${UV_DEFAULT_INDEX:-}" ]; then
        export UV_DEFAULT_INDEX=$PIP_INDEX_URL
    fi
    UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-true} UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-180} UV_LINK_MODE=${UV_LINK_MODE:-copy} \
        .venv/bin/uv pip sync --quiet --python "$environment/bin/python" --require-hashes "$@" ||
        stop "The locked packages could not be installed." "Is the package index reachable? Behind a mirror, set PIP_INDEX_URL and run this again."
}
