#!/bin/sh
# The first step of the set-up, for a machine on which not even Node may be there: brings the project's own Node and its
# modules, then hands over to tools/setup.ts. Run it through make: `make setup`.
#
# Usage: tools/bootstrap.sh modules|up|test
#   modules  only Node and the modules
#   up       what a stack needs as well: packages, users, the Pulumi engine
#   test     what the tests need as well
set -eu

root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
node=$root/node_modules/node/bin/node

say() { printf '%-9s %s\n' "$1" "$2" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    say node "installing needs root: run as root, or install sudo, or install by hand: $*"
    exit 3
  fi
}

# npm only fetches; the project runs on the Node in node_modules, so an old one from the distribution will do.
ensure_npm() {
  wanted=''
  if ! command -v npm >/dev/null || ! command -v node >/dev/null; then wanted='nodejs npm'; fi
  if [ ! -e /etc/ssl/certs/ca-certificates.crt ] && [ -e /etc/debian_version ]; then wanted="$wanted ca-certificates"; fi
  [ -n "$wanted" ] || return 0
  if ! command -v apt-get >/dev/null; then
    say node "no node and npm on PATH, and no apt-get to install them with. Install Node 22.18 or newer with npm, then run this again."
    exit 3
  fi
  say node "no node and npm on PATH: installing $wanted (to fetch the project's own Node with)"
  # shellcheck disable=SC2086 # a list of packages, to be split
  if ! as_root sh tools/install-packages.sh $wanted </dev/null >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    say node "could not install $wanted. Install Node 22.18 or newer with npm, then run this again."
    exit 3
  fi
}

modules_are_current() { [ -x "$node" ] && "$node" tools/modulesCurrent.ts; }

if ! modules_are_current; then
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  trap 'exit 130' INT HUP TERM
  ensure_npm
  say modules "installing what package-lock.json lists, Node among it (npm ci, half a minute)"
  if ! npm ci --loglevel=error --no-audit --no-fund --no-update-notifier </dev/null >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    say modules "npm ci failed in $root. Is the npm registry in reach? (npm ping)"
    exit 3
  fi
  rm -f "$log"
fi

[ "${1:-up}" = modules ] || exec "$node" tools/setup.ts "${1:-up}"
