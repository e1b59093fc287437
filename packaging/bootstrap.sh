#!/usr/bin/env bash
# Sets up everything that `make run` or `make test` needs; does nothing, quickly, when all is there.
#
#   packaging/bootstrap.sh run|test
#
# 1. System libraries: what is missing is installed with apt, as root or through sudo. Where that is
#    not possible the exact line to type is printed, and set-up goes on if Python itself can work.
# 2. A virtual environment `.venv` in the checkout; a broken or too old one is made anew.
# 3. Python packages in the versions of packaging/constraints.txt.
#
# TRAINING=0 leaves torch out: no personal models, the player and the tagger are complete.
# PYTHON=/path/to/python3 chooses the interpreter (3.11 or newer).
set -euo pipefail

mode=${1:-run}
training=${TRAINING:-1}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv
stamp=$venv/set-up.txt
constraints=$root/packaging/constraints.txt

say() { printf '%s\n' "undertone: $*" >&2; }

# One set-up at a time in one checkout.
if command -v flock >/dev/null; then
    exec 9<"$root"
    flock 9
fi

# ------------------------------------------------------------------ system libraries

libraries=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null || true)
missing=()
required_missing=0

# need LEVEL PACKAGE TEST...: remembers PACKAGE when TEST fails. LEVEL is required or useful.
need() {
    local level=$1 package=$2
    shift 2
    "$@" && return
    missing+=("$package")
    if [ "$level" = required ]; then required_missing=1; fi
}
library() { case $libraries in *"$1 "*) return 0 ;; *) return 1 ;; esac }
program() { command -v "$1" >/dev/null; }
vlc_plugins() { compgen -G "/usr/lib*/*/vlc/plugins/codec/libavcodec_plugin.*" >/dev/null ||
    compgen -G "/usr/lib*/vlc/plugins/codec/libavcodec_plugin.*" >/dev/null; }

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        if [ -n "$candidate" ] && "$candidate" -c \
            'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}
python_with_venv() {
    local python
    python=$(find_python) && "$python" -c 'import ensurepip, venv' 2>/dev/null
}

check_system() {
    missing=()
    required_missing=0
    libraries=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null || true)
    find_python >/dev/null || need required python3 false
    python_with_venv || need required "$(venv_package)" false
    # What Qt loads: without these no window opens, not even the tests' invisible ones; the command
    # line works.
    local qt=useful
    if [ "$mode" = test ]; then qt=required; fi
    need $qt libegl1 library libEGL.so.1
    need $qt libgl1 library libGL.so.1
    need $qt libglib2.0-0 library libglib-2.0.so.0
    need $qt libfontconfig1 library libfontconfig.so.1
    need $qt libdbus-1-3 library libdbus-1.so.3
    need $qt libxkbcommon0 library libxkbcommon.so.0
    # What Qt needs for X11 and Wayland.
    need useful libxkbcommon-x11-0 library libxkbcommon-x11.so.0
    need useful libx11-xcb1 library libX11-xcb.so.1
    need useful libxcb-cursor0 library libxcb-cursor.so.0
    need useful libxcb-icccm4 library libxcb-icccm.so.4
    need useful libxcb-image0 library libxcb-image.so.0
    need useful libxcb-keysyms1 library libxcb-keysyms.so.1
    need useful libxcb-randr0 library libxcb-randr.so.0
    need useful libxcb-render-util0 library libxcb-render-util.so.0
    need useful libxcb-shape0 library libxcb-shape.so.0
    need useful libxcb-sync1 library libxcb-sync.so.1
    need useful libxcb-xfixes0 library libxcb-xfixes.so.0
    need useful libxcb-xkb1 library libxcb-xkb.so.1
    need useful libwayland-cursor0 library libwayland-cursor.so.0
    need useful libwayland-egl1 library libwayland-egl.so.1
    # Playback.
    need useful libvlc5 library libvlc.so.5
    need useful vlc-plugin-base vlc_plugins
    if [ "$mode" = test ]; then
        need useful xvfb program Xvfb
        need useful dbus program dbus-daemon
        need useful micropython micropython_or_unknown
    fi
}
# The band's firmware is tested under MicroPython where the distribution has it.
micropython_or_unknown() { program micropython || ! apt-cache show micropython >/dev/null 2>&1; }

# The venv package of the interpreter that is there: python3-venv, or python3.12-venv and the like.
venv_package() {
    local python name
    python=$(find_python) || { echo python3-venv; return; }
    name=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    if [ "$python" = /usr/bin/python3 ]; then echo python3-venv; else echo "$name-venv"; fi
}

install_system() {
    local -a apt=(apt-get -o DPkg::Lock::Timeout=120) as_root=()
    program apt-get || return 1
    if [ "$(id -u)" -ne 0 ]; then
        program sudo || return 1
        as_root=(sudo)
        # Without a terminal sudo could only wait for a password for ever.
        sudo -n true 2>/dev/null || [ -t 0 ] || return 1
    fi
    say "installing system libraries: ${missing[*]}"
    as_root+=(env DEBIAN_FRONTEND=noninteractive)
    local log
    log=$(mktemp)
    if ! { "${as_root[@]}" "${apt[@]}" update &&
        "${as_root[@]}" "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } \
        >"$log" 2>&1; then
        say "apt could not install them; it said:"
        tail -n 15 "$log" >&2
    fi
    rm -f "$log"
}

check_system
if [ ${#missing[@]} -gt 0 ]; then
    install_system || true
    check_system
fi
if [ ${#missing[@]} -gt 0 ]; then
    say "these system packages are missing; on Debian and Ubuntu, type:"
    say "    sudo apt-get install --no-install-recommends ${missing[*]}"
    if [ "$required_missing" = 1 ]; then
        say "'make $mode' cannot go on without them."
        exit 1
    fi
    say "going on without them: what needs them says so."
fi

# ------------------------------------------------------------------ virtual environment

extras=()
if [ "$training" != 0 ]; then extras+=(train); fi
if [ "$mode" = test ]; then extras+=(dev); fi

python=$(find_python)
# The checkout's place is part of the key: a virtual environment does not survive a move.
key=$({ cat "$root/pyproject.toml" "$constraints"; printf '%s\n' "$root"; } | sha256sum)
key=${key%% *}

set_up() { # is each wanted part installed, from these very files?
    local part
    for part in base "${extras[@]}"; do
        grep -qsx "$part $key" "$stamp" || return 1
    done
}
# Does it run, and was it made in this very place? (Its scripts name their interpreter by its path.)
healthy() {
    grep -qsF "$venv/bin/python" "$venv/bin/pip" &&
        "$venv/bin/python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if set_up && healthy; then exit 0; fi

if ! healthy; then
    if [ -e "$venv" ]; then say "the virtual environment is broken: making it anew"; fi
    rm -rf "$venv"
    say "making a virtual environment with $python"
    "$python" -m venv "$venv"
fi

# Where there is no program of that name, node runs MicroPython's WebAssembly port as well.
micropython_for_node() {
    local port=@micropython/micropython-webassembly-pyscript@1.27.0
    local sum=303919763c8ebfe5923b9da66226c20dce44ad72b604b225fb39338ea15367af
    local folder=$venv/share/micropython
    if program micropython || [ -e "$folder/micropython.mjs" ]; then return; fi
    program node && program npm || return 0
    local fetched
    fetched=$(mktemp -d)
    if (cd "$fetched" && npm pack --silent "$port" >name &&
        echo "$sum  $(cat name)" | sha256sum --check --quiet - && tar -xzf "$(cat name)") \
        >/dev/null 2>&1; then
        mkdir -p "${folder%/*}"
        mv "$fetched/package" "$folder"
    else
        say "MicroPython's port for node could not be fetched: the firmware's test under it is skipped"
    fi
    rm -rf "$fetched"
}

parts=$(IFS=,; echo "${extras[*]}")
say "installing Python packages${parts:+ with [$parts]}; the first time takes some minutes"
rm -f "$stamp"
pip=("$venv/bin/python" -m pip --disable-pip-version-check --no-input --quiet)
cd "$root"
if ! { "${pip[@]}" install -c "$constraints" setuptools &&
    "${pip[@]}" install -c "$constraints" --no-build-isolation -e ".${parts:+[$parts]}"; }; then
    say "the Python packages could not be installed; see above, then type the same command again."
    say "(No network? Full disk? What was fetched is kept; TRAINING=0 leaves out the largest part.)"
    exit 1
fi
if [ "$mode" = test ]; then micropython_for_node; fi
for part in base "${extras[@]}"; do echo "$part $key"; done >"$stamp"
say "set-up is complete"
