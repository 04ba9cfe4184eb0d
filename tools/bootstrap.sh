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

# On a Node older than the linter's and the test runner's native modules ask for, npm leaves those out without a word.
node_is_old() {
  node -e 'const [a, b] = process.versions.node.split(".").map(Number)
    process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 1 : 0)'
}

# The project's own Node and npm, as package.json pins them, in a folder that goes when this ends.
fetch_npm() {
  pinned=$(node -p 'const p = require("./package.json"); "node@" + p.dependencies.node + " " + p.packageManager')
  say modules "node $(node -v) is too old to install with: fetching $pinned for the installation"
  # shellcheck disable=SC2086 # two packages, to be split
  npm install --prefix "$scratch" --loglevel=error --no-audit --no-fund --no-update-notifier $pinned </dev/null >"$log" 2>&1 || return 1
  PATH=$scratch/node_modules/node/bin:$scratch/node_modules/.bin:$PATH
  hash -r
  # Debian's Node trusts the machine's certificate authorities, a company's own among them; this one only if told to.
  export NODE_USE_SYSTEM_CA=1
}

if ! modules_are_current; then
  scratch=$(mktemp -d)
  log=$scratch/log
  trap 'rm -rf "$scratch"' EXIT
  trap 'exit 130' INT HUP TERM
  ensure_npm
  if node_is_old && ! fetch_npm; then
    tail -n 15 "$log" >&2
    say modules "could not fetch Node and npm. Is the npm registry in reach? (npm ping) Or install Node 22.18 or newer."
    exit 3
  fi
  say modules "installing what package-lock.json lists, Node among it (npm ci, half a minute)"
  if ! npm ci --loglevel=error --no-audit --no-fund --no-update-notifier </dev/null >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    say modules "npm ci failed in $root. Is the npm registry in reach? (npm ping)"
    exit 3
  fi
  rm -rf "$scratch"
fi

[ "${1:-up}" = modules ] || exec "$node" tools/setup.ts "${1:-up}"
